"""A quote whose text was recognized from a picture says so wherever it is shown; no other quote does."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.pipeline import Assistant
from assistant.server.api.mcp.quoting import answer_as_text
from assistant.server.page.evidence_html import evidence_section
from assistant.server.page.export import exported
from assistant.server.strings import languages, strings
from assistant.terminal import shown
from assistant.types import Answer, Evidence
from ingest.parse import in_ranges
from ingest.pipeline import ingest_paths
from ingest.readers.pdf.reader import ocr_languages
from store.catalog.conversations import Conversation, Turn
from store.library import Library
from store.types import Span
from tests.assistant.quotes import quote
from tests.store.building import parsed

SCAN = quote(1, "Bến cảng có 480 chỗ neo 🚣‍♀️.", "vi").model_copy(update={"recognized": True})
TYPED = quote(2, "ท่าเรือมีที่จอด 480 ลำ", "th")


def answer(*evidence: Evidence, language: str = "en") -> Answer:
    text = " ".join(f"“{item.quote}” [{item.key}]" for item in evidence)
    return Answer(
        question="How many berths?",
        standalone_question="How many berths?",
        language=language,
        answered=True,
        confidence=0.9,
        mode="quotes",
        text=text,
        evidence=evidence,
        timings_ms={},
    )


@pytest.mark.parametrize("language", languages())
def test_the_card_the_terminal_and_the_exports_say_it_once_for_each_recognized_quote(language: str) -> None:
    words = strings(language)
    label = words("evidence.recognized")
    conversation = Conversation("c", "o", "Berths", "2024-01-01", "2024-01-01", "t")
    for evidence, times in (((SCAN, TYPED), 1), ((TYPED,), 0)):
        given = answer(*evidence, language=language)
        turn = Turn("t", "c", None, given.question, "{}", "finished", given.to_json(), "2024-01-01")
        assert evidence_section(given, words).count(label) == times
        assert shown(given).count(label) == times
        assert exported(conversation, [turn], "html", words).count(label) == times
        assert exported(conversation, [turn], "md", words).count(label) == times
        saved = json.loads(exported(conversation, [turn], "json", words))["turns"][0]["answer"]["evidence"]
        assert [item["recognized"] for item in saved] == [item.recognized for item in evidence]
        assert answer_as_text(given).count("recognized_from_picture=true") == times


def test_the_answer_object_has_a_place_for_it_and_answers_without_it_still_open() -> None:
    given = answer(SCAN, TYPED)
    assert Answer.model_validate_json(given.to_json()) == given
    older = json.loads(given.to_json())
    for item in older["evidence"]:
        del item["recognized"]
    assert [item.recognized for item in Answer.model_validate(older).evidence] == [False, False]
    schema = Answer.model_json_schema(by_alias=True)["$defs"]["Evidence"]
    assert schema["properties"]["recognized"]["type"] == "boolean"
    assert "recognized" not in schema["required"]


@given(pages=st.sets(st.integers(1, 12)), start=st.integers(0, 119), length=st.integers(1, 40))
def test_words_are_recognized_where_a_page_that_they_touch_was(pages: set[int], start: int, length: int) -> None:
    signs = ("title", "unread:11-12/12", *([f"recognized:{in_ranges(sorted(pages))}/12"] if pages else []))
    document = replace(parsed("a.pdf", "Báo cáo.").document, signs=signs, pages=tuple(range(0, 120, 10)))
    end = min(120, start + length)
    own = set(range(start // 10 + 1, (end - 1) // 10 + 2))
    assert document.is_recognized(Span(start, end)) == bool(own & pages)


@pytest.mark.skipif("eng" not in ocr_languages(), reason="Tesseract with its English data is not installed")
def test_a_question_to_a_scanned_page_is_answered_by_a_quote_that_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "scan.pdf").write_bytes(scanned("The harbour council approved 480 berths for fishing boats."))
    (folder / "note.txt").write_text("The lighthouse keeper is paid 900 crowns a month.\n", encoding="utf-8")
    with Library.open(tmp_path / "home") as library:
        report = ingest_paths(library, [folder])
        assert [each.error for each in report.partial] == ["The text of 1 of 1 pages was recognized from pictures: 1."]
        assistant = Assistant(library)
        scan = assistant.answer("How many berths did the harbour council approve?")
        note = assistant.answer("How much is the lighthouse keeper paid a month?")
    assert "480 berths" in scan.evidence[0].quote
    assert scan.evidence[0].recognized
    assert "900 crowns" in note.evidence[0].quote
    assert not note.evidence[0].recognized


def scanned(line: str) -> bytes:
    """Return a PDF of one page that shows the picture of a line, and has no text."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (1400, 400), 255)
    ImageDraw.Draw(picture).text((80, 150), line, fill=0, font=ImageFont.load_default(size=36))
    file = io.BytesIO()
    picture.save(file, "PDF", resolution=150)
    return file.getvalue()
