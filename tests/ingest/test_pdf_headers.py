"""Each value of a PDF table has its whole header, with several levels and lines, and the labels of merged rows."""

from __future__ import annotations

import pytest

from ingest.readers.pdf.glyphs import Glyph
from ingest.readers.pdf.segments import segments_of
from tests.ingest import files
from tests.ingest.test_pdf_tables import lines, read

REGIONS = ("North", "ภาคใต้", "Miền Trung")
QUARTERS = [("5", "6", "7", "8"), ("15", "", "17", "18"), ("25", "26", "", "28")]
EXPECTED = [
    f"{region}: {name} | "
    + " | ".join(
        f"{year}, {quarter}: {value}"
        for (year, quarter), value in zip(
            [("2023", "Q1"), ("2023", "Q2"), ("2024", "Q1"), ("2024", "Q2")], values, strict=True
        )
        if value
    )
    for region in ["Region"]
    for name, values in zip(REGIONS, QUARTERS, strict=True)
]
LEFTS = (72.0, 190.0, 250.0, 310.0, 370.0)
Texts = list[tuple[float, float, str]]


def body(top: float) -> Texts:
    """The rows below the header, from a height on."""
    rows = [(name, *values) for name, values in zip(REGIONS, QUARTERS, strict=True)]
    return [(LEFTS[c], top - 18 * r, text) for r, row in enumerate(rows) for c, text in enumerate(row) if text]


def quarters(height: float) -> Texts:
    return [(left, height, name) for left, name in zip(LEFTS[1:], ["Q1", "Q2", "Q1", "Q2"], strict=True)]


TITLE = (72.0, 740.0, "What was sold, in millions of baht:")
CENTERED: Texts = [(215.0, 700.0, "2023"), (335.0, 700.0, "2024")]
AT_THE_LEFT: Texts = [(190.0, 700.0, "2023"), (310.0, 700.0, "2024")]


@pytest.mark.parametrize("years", [CENTERED, AT_THE_LEFT], ids=["centered", "at the left"])
@pytest.mark.parametrize("height", [700.0, 691.0, 682.0], ids=["at the top", "in the middle", "below"])
def test_a_header_over_several_columns_is_said_with_each_of_their_values(years: Texts, height: float) -> None:
    page = [TITLE, *years, (72.0, height, "Region"), *quarters(682.0), *body(664.0)]
    assert lines(page) == [TITLE[2], *EXPECTED]


def test_a_header_over_columns_of_different_names_stands_over_their_middle() -> None:
    names = [(LEFTS[1], 682.0, "ชาย"), (LEFTS[2], 682.0, "หญิง"), (LEFTS[3], 682.0, "ครู")]
    values = [("เชียงใหม่", "1,200", "1,300", "120"), ("ลำปาง", "800", "850", "88"), ("น่าน", "400", "410", "45")]
    rows = [(LEFTS[c], 664.0 - 18 * r, text) for r, row in enumerate(values) for c, text in enumerate(row)]
    assert lines([(72.0, 691.0, "จังหวัด"), (214.0, 700.0, "นักเรียน"), *names, *rows])[0] == (
        "จังหวัด: เชียงใหม่ | นักเรียน, ชาย: 1,200 | นักเรียน, หญิง: 1,300 | ครู: 120"
    )


def test_a_header_of_several_lines_is_one_and_a_line_drawn_below_it_tells_its_columns() -> None:
    head = [(190.0, 712.0, "Rain in"), (190.0, 700.0, "mm"), (72.0, 682.0, "Station"), *quarters(682.0)[:2]]
    rows = [
        (LEFTS[c], 664.0 - 18 * r, text)
        for r, row in enumerate([("A", "1", "2"), ("B", "3", "4"), ("C", "5", "6")])
        for c, text in enumerate(row)
    ]
    drawn = [(185.0, 290.0, 697.0), (70.0, 290.0, 678.0)]
    assert read(files.placed_pdf([[*head, *rows]], drawn)) == [
        f"Station: {name} | Rain in mm, Q1: {one} | Rain in mm, Q2: {two}" for name, one, two in ("A12", "B34", "C56")
    ]


def test_lines_around_cells_tell_what_is_merged() -> None:
    xs = [70.0, 185.0, 245.0, 305.0, 365.0, 425.0]
    ys = [712.0, 694.0, 676.0, 658.0, 640.0, 622.0]
    page = [TITLE, (72.0, 690.0, "Region"), *CENTERED, *quarters(682.0), *body(664.0)]
    rules = [(185.0 if y == 694.0 else 70.0, 425.0, y) for y in ys]
    uprights = [(622.0, 694.0 if x in (245.0, 365.0) else 712.0, x) for x in xs]
    assert read(files.placed_pdf([page], rules, uprights=uprights)) == [TITLE[2], *EXPECTED]


def test_a_merged_label_holds_for_every_row_that_lines_show_it_to_span() -> None:
    page = [(72.0, 700.0, "Province"), (190.0, 700.0, "District"), (310.0, 700.0, "Beds"), (72.0, 673.0, "Chiang Mai")]
    page += [(190.0, 682.0, "San Sai"), (310.0, 682.0, "88"), (190.0, 664.0, "Mae Rim"), (310.0, 664.0, "61")]
    page += [(72.0, 646.0, "Nan"), (190.0, 646.0, "Pua"), (310.0, 646.0, "30")]
    rules = [(180.0 if y == 676.0 else 70.0, 400.0, y) for y in (712.0, 694.0, 676.0, 658.0, 640.0)]
    uprights = [(640.0, 712.0, x) for x in (70.0, 180.0, 300.0, 400.0)]
    expected = [
        "Province: Chiang Mai | District: San Sai | Beds: 88",
        "Province: Chiang Mai | District: Mae Rim | Beds: 61",
        "Province: Nan | District: Pua | Beds: 30",
    ]
    assert read(files.placed_pdf([page], rules, uprights=uprights)) == expected
    assert read(files.placed_pdf([page])) == expected  # In the middle of its rows, without any line.


def test_a_blank_first_cell_is_no_merged_label() -> None:
    page = [(72.0, 700.0, "Province"), (190.0, 700.0, "District"), (310.0, 700.0, "Beds"), (72.0, 682.0, "Nan")]
    page += [(190.0, 682.0 - 18 * n, name) for n, name in enumerate(["Pua", "Wiang Sa", "Bo Kluea"])]
    page += [(310.0, 682.0 - 18 * n, beds) for n, beds in enumerate(["30", "25", "9"])]
    assert read(files.placed_pdf([page]))[1:] == ["District: Wiang Sa | Beds: 25", "District: Bo Kluea | Beds: 9"]


def test_tags_tell_cells_where_nothing_else_does_also_where_blank_cells_are_not_tagged() -> None:
    texts = [(72.0, 690.0, "Region"), *CENTERED, *quarters(682.0), *body(664.0)]
    rows = [
        [("TH", [0], 2, 1), ("TH", [1], 1, 2), ("TH", [2], 1, 2)],
        [("TH", [number], 1, 1) for number in range(3, 7)],
        [("TD", [number], 1, 1) for number in range(7, 12)],
        [("TD", [number], 1, 1) for number in range(12, 16)],
        [("TD", [number], 1, 1) for number in range(16, 20)],
    ]
    assert read(files.placed_pdf([texts], table=rows)) == EXPECTED


def test_a_drawn_table_without_text_in_its_cells_is_none() -> None:
    chart = [(72.0, 700.0, "Beds by year"), (60.0, 610.0, "2023"), (160.0, 610.0, "2024")]
    rules = [(70.0, 425.0, y) for y in (690.0, 670.0, 650.0, 630.0)]
    uprights = [(630.0, 690.0, x) for x in (70.0, 185.0, 425.0)]
    assert read(files.placed_pdf([chart], rules, uprights=uprights))[0] == "Beds by year"


def test_thai_lines_that_are_set_wider_apart_than_others_on_the_page_are_one_paragraph() -> None:
    page = [(72.0, 700.0, "ก" * 90), (72.0, 681.0, "ข" * 90), (72.0, 662.0, "ค" * 30)]
    page += [
        (72.0, 630.0 - 13 * n, "words of a line in Latin script " * 2 + "and so on it goes, far") for n in range(5)
    ]
    assert read(files.placed_pdf([page]))[0] == "ก" * 90 + "ข" * 90 + "ค" * 30


def test_what_a_browser_prints_around_a_page_is_no_text() -> None:
    page = [(40.0, 780.0, "11/29/26, 9:22 AM ค่าเช่า"), (72.0, 700.0, "A canoe costs 420 baht."), (72.0, 680.0, "ราคา")]
    foot = (40.0, 20.0, "https://example.org/fees 1/1")
    assert read(files.placed_pdf([[*page, foot]])) == ["A canoe costs 420 baht.", "ราคา"]
    assert read(files.placed_pdf([page]))[0] == "11/29/26, 9:22 AM ค่าเช่า"


def test_a_fraction_in_a_line_is_said_in_its_place() -> None:
    page = [(72.0, 700.0, "Half is"), (130.0, 700.0, "and so on."), (114.0, 706.0, "1"), (114.0, 694.0, "2")]
    assert read(files.placed_pdf([page], [(113.0, 120.0, 703.0)])) == ["Half is 1/2 and so on."]


def test_a_list_below_a_table_is_none_of_its_rows() -> None:
    rows = [("Boat", "Weekday", "Weekend"), ("แคนู", "350", "420"), ("Kayak", "300", ""), ("Thuyền buồm", "900", "990")]
    page = [(LEFTS[c], 700.0 - 18 * r, text) for r, row in enumerate(rows) for c, text in enumerate(row) if text]
    page += [(84.0, 628.0, "1."), (100.0, 628.0, "Register at the pier, and wait for the harbour master.")]
    assert read(files.placed_pdf([page]))[-1] == "1. Register at the pier, and wait for the harbour master."


@pytest.mark.parametrize("drawn", ["لا", "ال"])
def test_lam_with_alef_is_read_in_its_order_however_the_file_names_it(drawn: str) -> None:
    ligature = [Glyph(letter, 40, 46, 100, 10, 1, False, 0, False, False) for letter in drawn]
    rest = [Glyph(letter, 34 - 6 * n, 40 - 6 * n, 100, 10, 1, False, 0, False, False) for n, letter in enumerate("ئحة")]
    assert [segment.text for segment in segments_of([*ligature, *rest])] == ["لائحة"]


def test_a_number_in_a_line_from_right_to_left_keeps_its_blanks_and_its_stop() -> None:
    text = [
        *zip("لعام", (90, 84, 78, 72), strict=True),
        *zip("2024", (42, 48, 54, 60), strict=True),
        (".", 36),
        ("ي", 22),
    ]
    glyphs = [Glyph(letter, left, left + 6.0, 100, 10, 1, False, 0, False, False) for letter, left in text]
    assert [segment.text for segment in segments_of(glyphs)] == ["لعام 2024. ي"]


def test_headers_at_the_left_stand_above_values_at_the_right_of_their_columns() -> None:
    page = [(190.0, 700.0, "2023"), (310.0, 700.0, "2024"), (72.0, 682.0, "Region"), *quarters(682.0)]
    page += [(x if x == 72.0 else x + 45 - 5 * len(text), y, text) for x, y, text in body(664.0)]
    assert read(files.placed_pdf([page])) == EXPECTED
