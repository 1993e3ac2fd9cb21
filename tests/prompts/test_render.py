"""What a template promises."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.render import FOLDER, SUFFIXES, Template, TemplateError, load, load_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "greet.en.txt").write_text("Hello {{ name }}.\n", encoding="utf-8")
    (tmp_path / "greet.th.txt").write_text("สวัสดี {{ name }}\n", encoding="utf-8")
    (tmp_path / "list.neutral.jinja").write_text(
        "{% for key, text in items %}\n[{{ key }}] {{ text }}\n{% endfor %}\n", encoding="utf-8"
    )
    (tmp_path / "broken.txt").write_text("line\n{% for %}", encoding="utf-8")
    return tmp_path


def test_every_variable_is_filled_in(folder: Path) -> None:
    assert load("greet.en", folder).render(name="Lan") == "Hello Lan."


def test_a_missing_variable_is_named(folder: Path) -> None:
    with pytest.raises(TemplateError, match="needs name"):
        load("greet.en", folder).render()


def test_a_superfluous_variable_is_named(folder: Path) -> None:
    with pytest.raises(TemplateError, match="does not use nmae"):
        load("greet.en", folder).render(name="Lan", nmae="Lan")


def test_the_language_of_the_reader_is_preferred(folder: Path) -> None:
    assert load_for("greet", "th", folder).render(name="ลาน") == "สวัสดี ลาน"
    assert load_for("greet", "th-TH", folder).name == "greet.th"


def test_an_unknown_language_falls_back(folder: Path) -> None:
    assert load_for("greet", "sw", folder).name == "greet.en"
    assert load_for("list", "sw", folder).name == "list.neutral"


def test_a_template_that_is_not_there_is_an_error_that_lists_those_that_are(folder: Path) -> None:
    with pytest.raises(TemplateError, match=r"greet\.th"):
        load("gret", folder)
    with pytest.raises(TemplateError, match=r"gret\.neutral"):
        load_for("gret", "vi", folder)


def test_a_name_never_leaves_the_folder(folder: Path) -> None:
    with pytest.raises(TemplateError):
        load("../greet.en", folder)


def test_a_malformed_template_names_its_line(folder: Path) -> None:
    with pytest.raises(TemplateError, match="line 2"):
        load("broken", folder)


def test_the_hash_follows_the_wording(folder: Path) -> None:
    before = load("greet.en", folder)
    assert before.hash == load("greet.en", folder).hash != load("greet.th", folder).hash
    path = folder / "greet.en.txt"
    path.write_text("Hi {{ name }}.", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert load("greet.en", folder).hash != before.hash


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    template = _hello()
    hostile = "{{ name }}{% raw %}" + value + "."
    assert template.render(name=hostile) == "Hello " + hostile


def _hello() -> Template:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "hello.txt").write_text("Hello {{ name }}", encoding="utf-8")
        return load("hello", Path(name))


def test_every_template_of_the_project_can_be_loaded() -> None:
    for path in FOLDER.iterdir():
        if path.suffix in SUFFIXES:
            assert load(path.name.removesuffix(path.suffix)).source
