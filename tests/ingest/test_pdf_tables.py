"""Each value of a PDF table has the header of its column; none is joined, shifted, or without its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.normalize import normalize
from ingest.read import read_document
from ingest.readers.pdf.headers import with_headers
from ingest.readers.pdf.layout import lines_of
from ingest.readers.pdf.paragraphs import Page
from ingest.readers.pdf.segments import Segment, Word
from ingest.readers.tables import Cell, table_blocks
from tests.ingest import files

HEADERS = ("Ward", "จำนวนเตียง", "Số y tá", "人口")
LEFTS = (72.0, 190.0, 290.0, 400.0)
"""Where columns begin; cells are of sixteen characters, 80 points, at most."""
NAMES = st.sampled_from(["Surgery", "กุมารเวช", "Sa\u0309n khoa", "Sản khoa", "Eye clinic", "外科", "Bang Saphan Noi"])
NUMBERS = st.sampled_from(["", "24", "1,200", "12 km²", "3.5", "๑๒๐", "٣١١", "🛏 7"])
ROWS = st.lists(st.tuples(NAMES, NUMBERS, NUMBERS, NUMBERS), min_size=4, max_size=9).filter(
    lambda rows: (
        all(sum(1 for cell in row if cell) > 1 for row in rows)
        and all(any(column) for column in zip(*rows, strict=True))
    )
)


def placed(rows: Sequence[tuple[str, ...]], right: bool = False, top: float = 700) -> list[tuple[float, float, str]]:
    """The cells of rows at their places, each number ending at the right edge of its column if `right`."""
    return [
        (LEFTS[column] + (80 - 5 * len(text) if right and column else 0), top - 18 * number, text)
        for number, row in enumerate(rows)
        for column, text in enumerate(row)
        if text
    ]


def read(data: bytes) -> list[str]:
    """The lines of a PDF's text."""
    return [line for line in normalize(read_document(Path("a.pdf"), data).blocks).text.split("\n") if line]


def as_text(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """What a table of the same cells gives in the formats that have tables."""
    grid = [[Cell(header, is_header=True) for header in HEADERS], *([Cell(text) for text in row] for row in rows)]
    return [block.text for block in table_blocks(grid)]


def segments(page: list[tuple[float, float, str]]) -> list[Segment]:
    """The texts of a page as they are told from its glyphs."""
    found = []
    for x, y, text in page:
        words, left = [], x
        for word in text.split(" "):
            words.append(Word(word, left, left + 5 * len(word)))
            left += 5 * len(word) + 5
        right = x + 5 * len(text)
        first = words[0].right - x
        found.append(Segment(text, x, right, y, 10, first, False, fonts=frozenset({1}), words=tuple(words)))
    return found


def lines(*pages: list[tuple[float, float, str]]) -> list[str]:
    """The lines of pages, read without the detour of a file."""
    read = with_headers([Page(tuple(lines_of(segments(page))), 600) for page in pages])
    return [line.text for page in read for line in page.lines]


@given(ROWS, st.booleans())
def test_each_value_is_under_its_header_without_any_line_drawn(rows: list[tuple[str, ...]], right: bool) -> None:
    page = [(72.0, 740.0, "What the wards had:"), *placed([HEADERS, *rows], right)]
    assert lines(page) == ["What the wards had:", *as_text(rows)]


@given(ROWS, ROWS, st.booleans())
def test_a_table_keeps_its_headers_on_the_next_page(
    first: list[tuple[str, ...]], more: list[tuple[str, ...]], repeated: bool
) -> None:
    following = [HEADERS, *more] if repeated else more
    assert lines(placed([HEADERS, *first]), placed(following)) == as_text([*first, *more])


def test_a_table_below_another_has_its_own_headers() -> None:
    first = [("Surgery", "24", "9", "3"), ("Eye clinic", "7", "2", "1"), ("Sản khoa", "18", "4", "2")]
    second = [("เมือง", "ปี", "งบ", "ผล"), ("น่าน", "2567", "1,200", "ดี"), ("ลำพูน", "2566", "850", "ดี")]
    found = lines([*placed([HEADERS, *first]), *placed(second, top=590)])
    assert found[3:] == ["เมือง: น่าน | ปี: 2567 | งบ: 1,200 | ผล: ดี", "เมือง: ลำพูน | ปี: 2566 | งบ: 850 | ผล: ดี"]


def test_a_table_in_a_file_is_read_like_that() -> None:
    rows = [("Surgery", "24", "", "3"), ("กุมารเวช", "", "๑๒", "1"), ("Sản khoa", "18", "4", "")]
    assert read(files.placed_pdf([placed([HEADERS, *rows])])) == as_text(rows)


def test_a_cell_that_nearly_touches_the_next_column_is_not_glued_to_it() -> None:
    rows = [("North", "120", "4"), ("South of the river", "137", "311"), ("West", "77", "45")]
    lefts = (72.0, 166.0, 230.0)
    grid = [("Station", "June", "July"), *rows]
    page = [(lefts[c], 700.0 - 18 * r, text) for r, row in enumerate(grid) for c, text in enumerate(row)]
    assert read(files.placed_pdf([page]))[1] == "Station: South of the river | June: 137 | July: 311"


def test_lines_of_one_cell_are_one_value_where_rules_part_the_rows() -> None:
    page = placed([HEADERS, ("Surgery", "24", "9", "3"), ("Eye clinic", "7", "2", "1"), ("Sản khoa", "18", "4", "2")])
    page.append((72.0, 672.0, "and recovery"))  # Below the first ward, between the drawn lines.
    rules = [(70.0, 480.0, y) for y in (714.0, 695.0, 668.0, 650.0, 634.0)]
    page = [(x, y - (4 if y < 682 and text != "and recovery" else 0), text) for x, y, text in page]
    lines = read(files.placed_pdf([page], rules))
    assert lines[0] == "Ward: Surgery and recovery | จำนวนเตียง: 24 | Số y tá: 9 | 人口: 3"
    assert len(lines) == 3


def test_a_numbered_list_and_two_columns_of_text_are_no_tables() -> None:
    steps = ["Open the valve by the river.", "Wait for ten minutes or so.", "Close it, and write it down."]
    page = [(72.0, 700.0 - 18 * n, f"{n + 1}.") for n in range(3)]
    page += [(110.0, 700.0 - 18 * n, step) for n, step in enumerate(steps)]
    assert [line.split(" ", 1)[1] for line in read(files.placed_pdf([page]))] == steps


def test_a_line_below_a_table_whose_middle_is_struck_is_no_row_of_it() -> None:
    rows = [("Surgery", "24", "9", "3"), ("Eye clinic", "7", "2", "1"), ("Sản khoa", "18", "4", "2")]
    page = [*placed([HEADERS, *rows]), (72.0, 626.0, "Bed price 350 baht a night, now 420 baht.")]
    struck = (72.0 + 10 * 5, 72.0 + 27 * 5, 629.0)
    assert read(files.placed_pdf([page], [struck]))[-1] == "Bed price now 420 baht."


def test_struck_words_are_left_out_and_underlined_ones_stay() -> None:
    page = [(72.0, 700.0, "A canoe costs 350 420 baht a day."), (72.0, 680.0, "ราคา 350 บาท")]
    struck = (72.0 + 14 * 5, 72.0 + 17 * 5, 703.0)
    underline = (72.0, 172.0, 678.5)
    assert read(files.placed_pdf([page], [struck, underline])) == ["A canoe costs 420 baht a day.", "ราคา 350 บาท"]
