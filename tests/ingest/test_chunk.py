"""Passages are whole sentences of one section, within the budget, with nothing lost."""

from __future__ import annotations

import unicodedata

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunk import chunk
from ingest.normalize import normalize_text
from store.types import Chunk

PARAGRAPHS = [
    "The meeting began at nine. Dr. Smith opened it. Nobody objected to the agenda of 3.5 pages.",
    "Chapter One",
    "- milk",
    "การประชุมจัดขึ้นที่กรุงปักกิ่งเมื่อวันที่ 14 มิถุนายน พ.ศ. 2566 และมีผู้เข้าร่วมมากกว่า 300 คน จากหลายประเทศทั่วโลก",
    "Hội nghị được tổ chức tại Bắc Kinh. Có hơn 300 người tham dự.",
    unicodedata.normalize("NFD", "Hội nghị kết thúc vào buổi tối."),
    "会议于六月十四日在北京举行。来自近百个国家的三百多人出席了会议。",
    "عقد الاجتماع في بكين. حضره أكثر من ثلاثمائة شخص.",
    "👩‍👩‍👧 🇹🇭 👍🏽 " * 5,
    "x" * 300,
    "ก" * 200,
    "\u0301",
    "1. First item without an end",
]
texts = st.lists(st.tuples(st.sampled_from(PARAGRAPHS), st.sampled_from(["\n", "\n\n", " "])), max_size=14).map(
    lambda pairs: "".join(paragraph + separator for paragraph, separator in pairs)
)


def tokens(text: str) -> int:
    return max(1, len(text) // 3)


def passages_of(text: str, budget: int = 40, **options: frozenset[int]) -> tuple[Chunk, ...]:
    return chunk(text, "en", count_tokens=tokens, passage_tokens=budget, **options)


@settings(max_examples=150)
@given(texts, st.integers(2, 120))
def test_passages_cover_the_whole_text_in_order_without_tearing_a_character(text: str, budget: int) -> None:
    passages = passages_of(text, budget)
    position = 0
    # A mark after a blank belongs to the blank, which a passage doesn't begin with.
    boundaries = {match.start() for match in regex.finditer(r"\X", text)} | {len(text)}
    boundaries |= {match.end() for match in regex.finditer(r"\s", text)}
    for passage in passages:
        assert text[position : passage.start].strip() == ""
        assert passage.start < passage.end
        assert {passage.start, passage.end} <= boundaries
        inner = passage.start
        for sentence in passage.sentences:
            assert text[inner : sentence.start].strip() == ""
            inner = sentence.end
        assert (passage.sentences[0].start, inner) == (passage.start, passage.end)
        position = passage.end
    assert text[position:].strip() == ""


@settings(max_examples=100)
@given(texts, st.integers(10, 120))
def test_no_passage_is_over_its_budget(text: str, budget: int) -> None:
    for passage in passages_of(text, budget):
        spent = sum(tokens(span.of(text)) for span in passage.sentences)
        assert spent <= budget or len(passage.sentences) == 1


def test_a_heading_opens_its_section_and_is_known_to_the_rest_of_it() -> None:
    body = "One sentence of the body stands here. " * 9
    text = normalize_text(f"Annual report\n\nSummary\n\n{body}\n\nII. Outlook\n\n{body}").text
    passages = passages_of(text, 60)
    openings = [passage for passage in passages if passage.heading is None]
    assert [text[passage.start :].split("\n")[0] for passage in openings] == ["Annual report", "II. Outlook"]
    headings = {passage.heading.of(text) for passage in passages if passage.heading}
    assert headings == {"Annual report\n\nSummary", "II. Outlook"}


def test_a_passage_never_mixes_two_sections() -> None:
    text = "Costs\nThey rose.\nStaff\nIt fell.\nRisks\nNone are known."
    assert [text[passage.start : passage.end] for passage in passages_of(text, 500)] == [
        "Costs\nThey rose.",
        "Staff\nIt fell.",
        "Risks\nNone are known.",
    ]


def test_headings_of_the_format_count_where_there_are_any() -> None:
    text = "Not a heading here\nBody of the text.\nReal one\nMore body."
    passages = passages_of(text, 500, headings=frozenset({text.index("Real")}))
    assert [text[passage.start : passage.end] for passage in passages] == [
        "Not a heading here\nBody of the text.",
        "Real one\nMore body.",
    ]


def test_short_paragraphs_share_a_passage_and_lists_are_no_headings() -> None:
    text = "We need:\n- milk\n- bread\n- tea\nThat is all."
    assert len(passages_of(text, 500)) == 1


def test_a_passage_in_another_language_is_marked_with_it() -> None:
    english = "The meeting began at nine in the morning and nobody objected to the agenda of the day. " * 3
    vietnamese = "Cuộc họp bắt đầu lúc chín giờ sáng và không ai phản đối chương trình nghị sự của ngày hôm đó. " * 3
    text = normalize_text(f"{english}\n\n{vietnamese}\n\n{english}").text
    assert [passage.language for passage in passages_of(text, 100)] == ["en", "vi", "en"]


def test_what_announces_stands_with_what_it_announces() -> None:
    before = "Cox and rowers carry a whistle with them. " * 3
    for opening in ("Rowing is not allowed:", "When is rowing not allowed?", "On the water"):
        text = f"{before}\n{opening}\nAfter sunset and in fog, and when the red flag flies at the weir on the river."
        passages = passages_of(text, len(before) // 3 + 15, headings=frozenset())
        assert [text[passage.start :].split("\n", maxsplit=1)[0].strip() for passage in passages] == [
            before.strip(),
            opening,
        ]


def test_an_announcement_at_the_end_of_a_paragraph_is_taken_from_it() -> None:
    text = f"{'Nobody rows alone in winter. ' * 4}Rowing is not allowed:\n" + "after sunset;\n" * 9
    first, second, *_ = passages_of(text, 45, headings=frozenset())
    assert text[: first.end].endswith("winter.")
    assert text[second.start :].startswith("Rowing is not allowed:\nafter sunset;")


def test_an_announcement_is_not_cut_off_from_a_paragraph_that_is_cut() -> None:
    text = "สิ่งที่ต้องนำมามีดังนี้\n" + "The boat must have a lamp at the stern, a whistle and a rope. " * 4
    passages = passages_of(text, 50, headings=frozenset())
    assert len(passages) > 1
    assert text[passages[0].start : passages[0].end].count("\n") == 1
