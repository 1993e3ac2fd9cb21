"""Templates render strictly."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from prompts import Template, TemplateError, load, phrase, phrase_in
from prompts.render import MODELS, PHRASES

LANGUAGES = sorted(path.stem for path in PHRASES.glob("*.yaml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "en.yaml").write_text('greet: "Hello {{ name }}."\nbroken: "line\\n{% for %}"\n', encoding="utf-8")
    (tmp_path / "th.yaml").write_text('greet: "สวัสดี {{ name }}"\n', encoding="utf-8")
    (tmp_path / "neutral.yaml").write_text(
        'list: "{% for each in items %}[{{ each }}]{% endfor %}"\n', encoding="utf-8"
    )
    (tmp_path / "ask.txt").write_text(
        "{% for key, text in items %}\n[{{ key }}] {{ text }}\n{% endfor %}\n", encoding="utf-8"
    )
    (tmp_path / "broken.txt").write_text("line\n{% for %}", encoding="utf-8")
    return tmp_path


def test_every_variable_is_filled_in(folder: Path) -> None:
    assert phrase("greet", "en", folder).render(name="Lan") == "Hello Lan."
    assert load("ask", folder).render(items=[(1, "a"), (2, "b")]) == "[1] a\n[2] b"


def test_a_missing_variable_is_named(folder: Path) -> None:
    with pytest.raises(TemplateError, match="needs name"):
        phrase("greet", "en", folder).render()


def test_a_superfluous_variable_is_named(folder: Path) -> None:
    with pytest.raises(TemplateError, match="does not use nmae"):
        phrase("greet", "en", folder).render(name="Lan", nmae="Lan")


def test_the_language_of_the_reader_is_preferred(folder: Path) -> None:
    assert phrase("greet", "th", folder).render(name="ลาน") == "สวัสดี ลาน"
    assert phrase("greet", "th-TH", folder).name == "greet.th"


def test_an_unknown_language_falls_back(folder: Path) -> None:
    assert phrase("greet", "sw", folder).name == "greet.en"
    assert phrase("list", "sw", folder).name == "list.neutral"
    assert phrase_in("greet", "sw", folder) is None


def test_a_language_is_added_by_one_file(folder: Path) -> None:
    (folder / "lo.yaml").write_text('greet: "ສະບາຍດີ {{ name }}"\n', encoding="utf-8")
    assert phrase("greet", "lo", folder).render(name="ລານ") == "ສະບາຍດີ ລານ"


def test_what_is_not_there_is_an_error_that_says_where_it_was_looked_for(folder: Path) -> None:
    with pytest.raises(TemplateError, match="there are: ask, broken"):
        load("ax", folder)
    with pytest.raises(TemplateError, match="no phrase 'gret' for 'vi'"):
        phrase("gret", "vi", folder)


@pytest.mark.parametrize("name", ["../ask", "..", "models/ask", "", "\x00"])
def test_a_name_never_leaves_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(TemplateError):
        load(name, folder / "..")
    assert phrase("greet", name, folder).name == "greet.en"


def test_a_malformed_template_names_its_line(folder: Path) -> None:
    with pytest.raises(TemplateError, match="line 2"):
        load("broken", folder)
    with pytest.raises(TemplateError, match="line 2"):
        phrase("broken", "en", folder)


@pytest.mark.parametrize("text", ["greet: [", "greet: 3", "- greet"])
def test_a_malformed_file_of_phrases_is_named(folder: Path, text: str) -> None:
    (folder / "vi.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=r"vi\.yaml"):
        phrase("greet", "vi", folder)


def test_the_hash_follows_the_wording(folder: Path) -> None:
    before = phrase("greet", "en", folder)
    assert before.hash == phrase("greet", "en", folder).hash != phrase("greet", "th", folder).hash
    path = folder / "en.yaml"
    path.write_text('greet: "Hi {{ name }}."', encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert phrase("greet", "en", folder).hash != before.hash


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    template = _hello()
    hostile = "{{ name }}{% raw %}" + value + "."
    assert template.render(name=hostile) == "Hello " + hostile


def _hello() -> Template:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "hello.txt").write_text("Hello {{ name }}", encoding="utf-8")
        return load("hello", Path(name))


def test_every_prompt_can_be_loaded() -> None:
    assert all(load(path.stem).source for path in MODELS.iterdir())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_says_the_same_of_the_same_things_in_each_language(language: str) -> None:
    english = yaml.safe_load((PHRASES / "en.yaml").read_text(encoding="utf-8"))
    own = yaml.safe_load((PHRASES / f"{language}.yaml").read_text(encoding="utf-8"))
    assert own.keys() <= english.keys()
    for name in own:
        assert phrase(name, language).variables == phrase(name, "en").variables, name


@pytest.mark.parametrize("language", ["th", "vi"])
def test_no_phrase_is_missing_in_the_first_languages(language: str) -> None:
    english = yaml.safe_load((PHRASES / "en.yaml").read_text(encoding="utf-8"))
    assert all(phrase_in(name, language) for name in english)
