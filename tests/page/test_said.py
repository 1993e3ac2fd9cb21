"""Errors speak the language of the interface."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.server.error_messages import SAID, said
from assistant.server.strings import DEFAULT, languages, strings
from tests.conftest import ROOT
from tests.page.conftest import Visitors

OTHERS = [tag for tag in languages() if tag != DEFAULT]
TEMPLATES = {
    key: value for key, value in strings(DEFAULT).words.items() if key.startswith(SAID) and key != "said.other"
}
SHOWN = (
    *sorted((ROOT / "assistant/server").glob("*.py")),
    *(ROOT / "ingest" / name for name in ("document.py", "encoding.py", "pipeline.py", "read.py")),
    *sorted((ROOT / "ingest/formats").glob("*.py")),
    ROOT / "store/catalog/conversations.py",
)
"""Where errors are raised that a user of the page may see."""
NOT_ON_THE_PAGE = ("serve.py",)


def sentences(path: Path) -> Iterator[str]:
    """What is raised there, with blanks filled by something."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        raised = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(raised, ast.Call) and isinstance(raised.func, ast.Name) and raised.args:
            sentence = filled(raised.args[0])
            if raised.func.id in ("ReadError", "RequestError", "NotFoundError") and sentence:
                yield sentence


def filled(message: ast.expr) -> str:
    if isinstance(message, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "42" for part in message.values)
    return str(message.value) if isinstance(message, ast.Constant) else ""


RAISED = sorted({sentence for path in SHOWN if path.name not in NOT_ON_THE_PAGE for sentence in sentences(path)})


def test_the_errors_are_found_in_the_sources() -> None:
    assert len(RAISED) > 60


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("sentence", RAISED)
def test_every_error_that_a_user_may_see_is_said_in_their_language(sentence: str, language: str) -> None:
    words = strings(language)
    shown = said(sentence, words)
    assert sentence not in shown
    assert shown != words("said.other", sentence=sentence)
    assert ("42" in shown) or ("42" not in sentence) or "{id}" not in shown


@pytest.mark.parametrize("language", OTHERS)
def test_names_and_numbers_of_an_error_are_kept(language: str) -> None:
    shown = said("bản đồ {x}.exe is of a kind that can't be read; these can: .txt, .pdf.", strings(language))
    assert "bản đồ {x}.exe" in shown
    assert ".txt, .pdf" in shown
    assert said("This file is 61.0 MB long; the limit is 50.0 MB.", strings(language)).count("MB") == 2


@given(st.text(max_size=200), st.sampled_from(list(languages())))
def test_any_sentence_is_shown_whole_or_in_the_language(sentence: str, language: str) -> None:
    shown = said(sentence, strings(language))
    assert sentence in shown or any(shown == strings(language)(key) for key in TEMPLATES if "{" not in TEMPLATES[key])


def test_no_two_templates_say_the_same() -> None:
    assert len(set(TEMPLATES.values())) == len(TEMPLATES)


@pytest.mark.parametrize(("locale", "expected"), [("th-TH", "อ่านไม่ได้"), ("vi-VN", "không đọc được")])
def test_a_refused_file_is_explained_in_the_language_of_the_page(
    visitors: Visitors, locale: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "picture.exe").write_bytes(b"MZ")
    visit = visitors.open(locale=locale)
    visit.page.click("#open-library")
    visit.page.set_input_files("#picker", str(tmp_path / "picture.exe"))
    visit.page.wait_for_selector(f"#intake [data-state='failed'] >> text={expected}")
