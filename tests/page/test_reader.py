"""The reader's windows lose and repeat no word, and each highlight is on exactly its words."""

from __future__ import annotations

import dataclasses
import html
import itertools
import re
import unicodedata

import lxml.html
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assistant.server.page import pdf_preview, source_reader
from assistant.server.page.source_reader import located, window_above, window_around, window_below
from assistant.server.page.source_text import Highlight
from assistant.server.strings import strings
from assistant.types import Evidence, Source
from ingest.readers.tables import Cell, table_blocks
from store.types import Document, Passage, Span
from tests.page.scripted import ScriptedLibrary, document

WORDS = strings("en")
TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("ก่ำน้ำé\u0301 \n<>&\"'한国👩\u200d👧ตัวอย่าง. "),
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")),
    ),
    max_size=400,
)


def library_with(text: str) -> tuple[ScriptedLibrary, Document]:
    library = ScriptedLibrary()
    item = document("d", text, "th", "S", "2020", "T")
    library.put(item, text)
    return library, item


def shown(fragment: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", fragment))


@given(TEXTS, st.data())
@settings(max_examples=150)
def test_windows_join_to_the_whole_text_whatever_the_script(text: str, data: st.DataObject) -> None:
    library, item = library_with(text)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    small, slack = source_reader.WINDOW, source_reader.SLACK
    source_reader.WINDOW, source_reader.SLACK = 20, 7
    try:
        middle = window_around(library, item, Span(start, end), [], WORDS)
        windows = [middle]
        while windows[0].above:
            windows.insert(0, window_above(library, item, windows[0].start, [], WORDS))
        while windows[-1].below:
            windows.append(window_below(library, item, windows[-1].end, [], WORDS))
    finally:
        source_reader.WINDOW, source_reader.SLACK = small, slack
    assert windows[0].start == 0
    assert windows[-1].end == len(text)
    assert all(one.end == next_.start for one, next_ in itertools.pairwise(windows))
    assert "".join(shown(window.html) for window in windows) == text.replace("\n", "")
    assert middle.start <= start and end <= middle.end


@given(TEXTS, st.data())
@settings(max_examples=150)
def test_a_highlight_covers_exactly_the_words_of_its_quote(text: str, data: st.DataObject) -> None:
    library, item = library_with(text)
    spans = data.draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted), max_size=3))
    marks = [Highlight(key, Span(*span)) for key, span in enumerate(spans, 1)]
    window = window_around(library, item, Span(0, len(text)), marks, WORDS)
    for mark in marks:
        found = re.findall(r'<mark data-keys="([^"]*)">(.*?)</mark>', window.html)
        words = "".join(html.unescape(piece) for keys, piece in found if str(mark.key) in keys.split())
        assert words == mark.span.of(text).replace("\n", "")


CELLS = st.sampled_from(["โรงพยาบาล", "Huê\u0301", "Huế", "24", "مستشفى", "医院", "12 km²", "5: a", "👩\u200d👧", ""])
HEADERS = ("Ward", "เตียง", "Số giường", "الطابق", "人口")


@given(st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=2, max_size=6), st.data())
def test_a_table_is_shown_as_one_with_each_value_under_its_header_and_its_quote_marked(
    rows: list[list[str]], data: st.DataObject
) -> None:
    grid = [[Cell(header, is_header=True) for header in HEADERS], *([Cell(text) for text in row] for row in rows)]
    lines = [block.text for block in table_blocks(grid)]
    assume(all(row[0] and any(row[1:]) for row in rows))
    text = "Before.\n" + "\n".join(lines) + "\nAfter."
    library, item = library_with(text)
    chosen = data.draw(st.integers(0, len(lines) - 1))
    start = text.index(lines[chosen])
    mark = Highlight(7, Span(start, start + len(lines[chosen])))
    window = window_around(library, item, Span(0, len(text)), [mark], WORDS)
    (table,) = lxml.html.fromstring(window.html).iter("table")
    heads = [cell.text_content() for cell in table.iter("th")]
    seen = [[cell.text_content() for cell in row.iter("td")] for row in table.find("tbody")]
    assert set(heads) == {header for number, header in enumerate(HEADERS) if any(row[number] for row in rows)}
    assert all(cell.get("scope") == "col" for cell in table.iter("th"))
    for row, cells in zip(rows, seen, strict=True):
        assert dict(zip(heads, cells, strict=True)) == {h: row[HEADERS.index(h)] for h in heads}
    marked = [each.text_content() for each in table.iter("mark")]
    assert marked == [value for value in seen[lines.index(lines[chosen])] if value]
    assert shown(window.html).startswith("Before.") and shown(window.html).endswith("After.")


def test_a_line_with_a_colon_is_no_table_and_a_value_may_hold_the_divider() -> None:
    text = "Note: read | this.\nUse: a | b | Of: c\nUse: d | Of: e | f\nEnd: of it."
    library, item = library_with(text)
    window = window_around(library, item, Span(0, len(text)), [], WORDS)
    (table,) = lxml.html.fromstring(f"<div>{window.html}</div>").iter("table")
    cells = [[cell.text_content() for cell in row] for row in table.iter("tr")]
    assert cells == [["Use", "Of"], ["a | b", "c"], ["d", "e | f"]]
    assert "Note: read | this.</h3>" in window.html


def test_rows_without_a_name_for_their_first_column_have_it_as_their_own_header() -> None:
    text = "Hà Nội | Mưa: 137 | Nắng: 4\nHuế | Nắng: 9 | Gió: 2"
    library, item = library_with(text)
    window = window_around(library, item, Span(0, len(text)), [], WORDS)
    (table,) = lxml.html.fromstring(f"<div>{window.html}</div>").iter("table")
    cells = [[cell.text_content() for cell in row] for row in table.iter("tr")]
    assert cells == [["", "Mưa", "Nắng", "Gió"], ["Hà Nội", "137", "4", ""], ["Huế", "", "9", "2"]]
    assert [cell.text_content() for cell in table.iter("th") if cell.get("scope") == "row"] == ["Hà Nội", "Huế"]


def test_a_line_longer_than_any_window_is_cut_between_written_characters() -> None:
    text = "น้ำ" * 20_000
    library, item = library_with(text)
    window = window_around(library, item, Span(30_000, 30_003), [], WORDS)
    assert window.end - window.start < 3 * source_reader.WINDOW
    assert unicodedata.category(text[window.start])[0] != "M"
    assert unicodedata.category(text[window.end])[0] != "M"


def evidence(text: str, start: int, end: int) -> Evidence:
    source = Source(id="d", title="T", language="en", sha256="0")
    return Evidence(
        key=1, document=source, passage_id="p", start=start, end=end, quote=text[start:end], language="en", score=1
    )


def test_a_quote_is_found_again_at_the_nearest_same_words_of_a_changed_document() -> None:
    old = "One bell. Two bells. One bell."
    item = evidence(old, 21, 30)
    assert item.quote == "One bell."
    new = "New. " + old
    library, changed = library_with(new)
    assert located(library, changed, item) == Span(26, 35)
    library, changed = library_with("Nothing left.")
    assert located(library, changed, item) is None


def test_pages_and_headings_are_shown_where_they_begin() -> None:
    text = "Heading\nFirst page goes on\nand ends. Second page.\n"

    class WithHeading(ScriptedLibrary):
        def passages(self, document_id: str) -> tuple[Passage, ...]:
            return (Passage("p", document_id, 0, 8, len(text), "vi", (), Span(0, 7)),)

    library = WithHeading()
    item = dataclasses.replace(document("d", text, "en", None, None, "T"), pages=(0, 37))
    library.put(item, text)
    window = window_around(library, item, Span(0, 0), [], WORDS)
    assert (
        '<h3 dir="auto" lang="en"><span class="page-edge" role="separator" data-label="Page 1"></span>Heading</h3>'
        in window.html
    )
    assert (
        'lang="vi">and ends. <span class="page-edge" role="separator" data-label="Page 2"></span>Second' in window.html
    )


@pytest.mark.parametrize(
    ("page", "quote", "found"),
    [
        ("The old bell\r\nrang twice.", "old bell rang", "old bell\r\nrang"),
        ("a tele-\nphone call", "telephone", "tele-\nphone"),
        ("Die\u0302\u0303n đàn", "Diễn đàn", "Die\u0302\u0303n đàn"),
        ("น้ำท่วม ใหญ่", "น้ำท่วมใหญ่", "น้ำท่วม ใหญ่"),
        (
            "It begins here on this page",
            "It begins here on this page and goes on over there",
            "It begins here on this page",
        ),
        ("Nothing of it.", "Something else entirely", ""),
        ("", "quote", ""),
    ],
)
def test_a_quote_is_found_on_a_page_whatever_its_line_breaks_and_composition(page: str, quote: str, found: str) -> None:
    assert "".join(page[place] for place in pdf_preview.located(page, quote)) == found
