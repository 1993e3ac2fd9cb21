"""Errors are in the interface's language: each code has one sentence in each language."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.server.document_editor import ingest_into
from assistant.server.error_messages import PREFIX, error_message
from assistant.server.strings import DEFAULT, languages, strings
from store.errors import AttestError, LanguageModelError, RequestError
from store.library import Library
from tests.conftest import ROOT
from tests.page.conftest import Visitors
from tests.store.building import HashingEmbedder

OTHERS = [tag for tag in languages() if tag != DEFAULT]


def raised() -> Iterator[tuple[Path, str, str, set[str]]]:
    """Yield place, code, English sentence and names of values of each error that has a code."""
    for package in ("assistant", "evals", "ingest", "store"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                called = getattr(node, "func", None)
                name = getattr(called, "id", getattr(called, "attr", ""))
                if not isinstance(node, ast.Call) or not name.endswith(("Error", "__init__")):
                    continue
                given = {each.arg: each.value for each in node.keywords if each.arg}
                code = given.pop("code", None)
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    (sentence,) = node.args
                    assert isinstance(sentence, ast.Constant), f"{path}: {code.value} needs a plain sentence"
                    yield path, code.value, str(sentence.value), set(given)


RAISED = list(raised())


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_a_code_always_has_the_same_sentence_with_all_of_its_values() -> None:
    sentences: dict[str, str] = {}
    for path, code, sentence, values in RAISED:
        assert sentences.setdefault(code, sentence) == sentence, f"{path}: {code}"
        assert fields(sentence) == values, f"{path}: {code}"
    assert len(sentences) > 80


@pytest.mark.parametrize("language", OTHERS)
def test_every_code_has_a_sentence_in_every_language_with_the_same_values(language: str) -> None:
    expected = {PREFIX + code: fields(sentence) for _, code, sentence, _ in RAISED}
    words = strings(language).words
    found = {key: fields(value) for key, value in words.items() if key.startswith(PREFIX)}
    assert found == expected
    for _, code, sentence, _ in RAISED:
        assert words[PREFIX + code] != sentence, f"{code} is left in English"


def test_what_the_pages_own_code_raises_has_a_code() -> None:
    """But for what only the command line shows, and what another process said in English."""
    without = {"cli.py", "serve.py", "evaluation_runs.py"}
    for path in sorted((ROOT / "assistant/server").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            call = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in (
                "ReadError",
                "RequestError",
                "NotFoundError",
            ):
                assert path.name in without or any(each.arg == "code" for each in call.keywords), (
                    f"{path}:{call.lineno}"
                )


def test_what_a_reader_of_files_raises_has_a_code() -> None:
    """But for `sources.yaml` and addresses of stores, which only the command takes."""
    for path in sorted((ROOT / "ingest").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ReadError":
                has_code = any(each.arg == "code" for each in node.keywords)
                assert has_code or path.name in ("sidecar.py", "remote.py"), f"{path}:{node.lineno}"


@pytest.mark.parametrize("language", OTHERS)
def test_names_and_numbers_of_an_error_are_kept(language: str) -> None:
    error = RequestError(
        "{name} is of a kind that can't be read; these can: {kinds}.",
        code="kind",
        name="bản đồ {x}.exe",
        kinds=".txt, .pdf",
    )
    assert str(error) == "bản đồ {x}.exe is of a kind that can't be read; these can: .txt, .pdf."
    shown = error_message(error, strings(language))
    assert "bản đồ {x}.exe" in shown
    assert ".txt, .pdf" in shown
    assert "kind" not in shown


@given(st.text(max_size=200), st.sampled_from(list(languages())))
def test_an_error_without_a_code_is_shown_as_it_is_and_called_english(sentence: str, language: str) -> None:
    assert sentence in error_message(AttestError(sentence), strings(language))


def test_a_language_models_error_is_said_by_its_phrase() -> None:
    error = LanguageModelError("The server is out of order.", code="model_status", values={"status": 500})
    assert "500" in error_message(error, strings("vi"))
    assert "máy chủ" in error_message(error, strings("vi")).casefold()


@pytest.mark.parametrize(("language", "expected"), [("th", "อ่านบรรทัดที่ 1 ไม่ได้"), ("vi", "không đọc được dòng 1")])
@pytest.mark.parametrize("name", ["danh sách.json", "รายชื่อ.json"])
def test_a_damaged_upload_is_explained_in_the_language_of_the_page(
    tmp_path: Path, name: str, language: str, expected: str
) -> None:
    (tmp_path / name).write_text('{"ปี": 2567,', encoding="utf-8")
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        taken = ingest_into(library)(tmp_path / name, lambda done, known: None, None)
    assert taken.error is not None
    assert expected in error_message(taken.error, strings(language))


@pytest.mark.parametrize(("locale", "expected"), [("th-TH", "อ่านไม่ได้"), ("vi-VN", "không đọc được")])
def test_a_refused_file_is_explained_in_the_language_of_the_page(
    visitors: Visitors, locale: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "picture.exe").write_bytes(b"MZ")
    visit = visitors.open(locale=locale)
    visit.page.click("#open-library")
    visit.page.set_input_files("#picker", str(tmp_path / "picture.exe"))
    visit.page.wait_for_selector(f"#intake [data-state='failed'] >> text={expected}")
    visit.errors.clear()  # the browser itself notes the refusal
