"""Office files are read as their program shows them, including struck, hidden and merged text, by formatting and styles."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ingest.normalize import normalize
from ingest.numerals import numeral
from ingest.read import read_document
from ingest.readers.number_formats import shown_number
from tests.ingest import files
from tests.ingest.test_documents_as_read import lines, numbered

LEVELS = [
    "Region: เหนือ | 2023, Q1: 5 | 2023, Q2: 6 | 2024, Q1: 7 | 2024, Q2: 8",
    "Region: Miền Nam | 2023, Q1: 15 | 2024, Q1: 17 | 2024, Q2: 18",
]
ROWS = [["เหนือ", "5", "6", "7", "8"], ["Miền Nam", "15", "", "17", "18"]]
M = "xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'"


def word(body: str, styles: str = "") -> list[str]:
    """The lines of a Word document with some styles of its own."""
    data = files.docx_with_body(body)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        own = archive.read("word/styles.xml").decode()
    return lines(
        "a.docx",
        files.replaced_part(data, "word/styles.xml", own.replace("</w:styles>", styles + "</w:styles>").encode()),
    )


# Word.


def test_what_a_paragraph_style_strikes_or_hides_is_no_text_and_its_number_is_still_counted() -> None:
    styles = (
        "<w:style w:type='paragraph' w:styleId='Repealed'><w:rPr><w:strike/></w:rPr></w:style>"
        "<w:style w:type='paragraph' w:styleId='Secret'><w:basedOn w:val='Repealed'/>"
        "<w:rPr><w:strike w:val='0'/><w:vanish/></w:rPr></w:style>"
        "<w:style w:type='character' w:styleId='Kept'><w:rPr><w:strike w:val='0'/></w:rPr></w:style>"
    )
    paragraph = "<w:p><w:pPr><w:pStyle w:val='{}'/></w:pPr><w:r><w:t>สุนัข</w:t></w:r>{}</w:p>"
    kept = "<w:r><w:rPr><w:rStyle w:val='Kept'/></w:rPr><w:t>kept</w:t></w:r>"
    body = paragraph.format("Repealed", "") + paragraph.format("Secret", "") + paragraph.format("Repealed", kept)
    assert word(body, styles) == ["kept"]
    level = "<w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='thaiNumbers'/><w:lvlText w:val='ข้อ %1'/></w:lvl>"
    data = numbered(level, [0, 0, 0])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read("word/document.xml").decode()
    first, second, rest = text.split("<w:r>", 2)
    struck = f"{first}<w:r>{second}<w:r><w:rPr><w:strike/></w:rPr>{rest}"
    shown = lines("a.docx", files.replaced_part(data, "word/document.xml", struck.encode()))
    assert [line.split()[1] for line in shown] == ["๑", "๓"]


def test_equations_say_their_fractions_and_roots() -> None:
    def run(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    half = f"<m:f><m:num>{run('1')}</m:num><m:den>{run('2')}</m:den></m:f>"
    sum_ = f"<m:f><m:num>{run('a+b')}</m:num><m:den>{run('c')}</m:den></m:f>"
    root = f"<m:rad><m:deg/><m:e>{run('16')}</m:e></m:rad>"
    power = f"<m:sSup><m:e>{run('x')}</m:e><m:sup>{run('2')}</m:sup></m:sSup>"
    brackets = f"<m:d><m:e>{run('n')}</m:e></m:d>"
    body = f"<w:p {M}><w:r><w:t>ครึ่ง </w:t></w:r><m:oMath>{run('3')}{half}</m:oMath><w:r><w:t>, </w:t></w:r>"
    body += f"<m:oMath>{sum_}{run('=')}{root}{power}{brackets}</m:oMath></w:p>"
    assert word(body) == ["ครึ่ง 3 1/2, (a+b)/c=√16x²(n)"]


def test_ruby_is_in_brackets_and_prompts_of_empty_fields_are_no_text() -> None:
    word_and_sound = "<w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase>"
    ruby = f"<w:r><w:ruby>{word_and_sound}</w:ruby></w:r>"
    prompt = "<w:sdt><w:sdtPr>{}</w:sdtPr><w:sdtContent><w:r><w:t>{}</w:t></w:r></w:sdtContent></w:sdt>"
    body = f"<w:p>{ruby}<w:r><w:t>へ</w:t></w:r></w:p><w:p>{prompt.format('<w:showingPlcHdr/>', 'Click here')}"
    body += f"{prompt.format('', 'สมชาย')}<w:r><w:sym w:font='Wingdings' w:char='F0FC'/></w:r></w:p>"
    assert word(body) == ["東京(とうきょう)へ", "สมชาย✓"]


def test_a_paragraph_whose_end_was_deleted_goes_on_in_the_next_one() -> None:
    deleted = "<w:pPr><w:rPr><w:del w:id='1'/></w:rPr></w:pPr>"
    body = f"<w:p>{deleted}<w:r><w:t xml:space='preserve'>Dogs </w:t></w:r></w:p><w:p><w:r><w:t>are allowed.</w:t></w:r></w:p>"
    assert word(body) == ["Dogs are allowed."]


def test_a_word_header_of_two_levels_is_said_with_each_value_and_hidden_rows_are_not() -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    wide = "<w:gridSpan w:val='2'/>"
    rows = [
        "<w:trPr><w:tblHeader/></w:trPr>"
        + cell("Region", "<w:vMerge w:val='restart'/>")
        + cell("2023", wide)
        + cell("2024", wide),
        cell("", "<w:vMerge/>") + "".join(map(cell, ["Q1", "Q2", "Q1", "Q2"])),
        *("".join(map(cell, row)) for row in ROWS),
        "<w:trPr><w:hidden/></w:trPr>" + "".join(map(cell, ["Gone", "1", "1", "1", "1"])),
    ]
    assert word(f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>") == LEVELS


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("chineseCountingThousand", ["一", "十", "二十一", "一百〇五"]),
        ("chineseLegalSimplified", ["壹", "壹拾", "贰拾壹", "壹佰零伍"]),
        ("ideographTraditional", ["甲", "癸", "21", "105"]),
        ("thaiCounting", ["หนึ่ง", "สิบ", "ยี่สิบเอ็ด", "หนึ่งร้อยห้า"]),
        ("vietnameseCounting", ["một", "mười", "hai mươi mốt", "105"]),
        ("cardinalText", ["One", "Ten", "Twenty-one", "105"]),
        ("koreanCounting", ["일", "십", "이십일", "일백오"]),
        ("decimalFullWidth", ["１", "１０", "２１", "１０５"]),
        ("ganada", ["가", "차", "사사", "사" * 8]),
    ],
)
def test_numbers_are_written_as_word_writes_them(style: str, shown: list[str]) -> None:
    assert [numeral(value, style) for value in (1, 10, 21, 105)] == shown


# Excel.


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (1234.5, '"฿"#,##0.00', "฿1,234.50"),
        (-1234.5, "[$€-407] #,##0.00;[Red]-[$€-407] #,##0.00", "-€ 1,234.50"),
        (123, "00000", "00123"),
        (1103700123456, "0-0000-00000-00-0", "1-1037-00123-45-6"),
        (-20, "0;(0)", "(20)"),
        (0, '0;-0;"-"', "-"),
        (5, ";;;", ""),
        (0.0725, "0.00%", "7.25%"),
        (1234567, '0.0,,"M"', "1.2M"),
        (12, '0 "kg"', "12 kg"),
        (1.5, "# ?/?", "1 1/2"),
        (2.675, "0.00", "2.68"),
        (-0.001, "0.00", "0.00"),
        (0.0000125, "0.0E+00", "1.3E-05"),
        (1234.5, "General", "1234.5"),
    ],
)
def test_numbers_are_shown_as_their_cell_shows_them(value: float, number_format: str, shown: str) -> None:
    assert shown_number(value, number_format) == shown


def workbook(*sheets: tuple[str, list[list[Any]]]) -> Any:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_years_name_columns_and_headers_of_two_levels_are_said_with_each_value() -> None:
    two = [["Region", "2023", None, "2024", None], [None, "Q1", "Q2", "Q1", "Q2"]]
    body = [[row[0], *(int(cell) if cell else None for cell in row[1:])] for row in ROWS]
    book = workbook(("Sheet1", [["จังหวัด", 2022, 2023], ["น่าน", 5, 6], ["ลำพูน", None, 7]]), ("สอง", [*two, *body]))
    for merged in ("A1:A2", "B1:C1", "D1:E1"):
        book["สอง"].merge_cells(merged)
    assert lines("a.xlsx", saved(book)) == [
        "Sheet1", "จังหวัด: น่าน | 2022: 5 | 2023: 6", "จังหวัด: ลำพูน | 2023: 7", "สอง", *LEVELS,
    ]  # fmt: skip


def test_parts_of_a_cell_may_be_struck_or_raised_and_formulas_without_results_are_told() -> None:
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont

    price = CellRichText(TextBlock(InlineFont(strike=True), "350"), TextBlock(InlineFont(), " 420"))
    area = CellRichText("12 km", TextBlock(InlineFont(vertAlign="superscript"), "2"))
    data = saved(workbook(("Sheet1", [["Price", "Area", "Sum"], [price, area, "=A1*2"]])))
    assert lines("a.xlsx", data) == ["Price: 420 | Area: 12 km²"]
    (notice,) = read_document(Path("a.xlsx"), data).notices
    assert notice.startswith("1 of its cells hold formulas without their results")


# PowerPoint, OpenDocument, Rich Text.


def test_slides_leave_out_hidden_shapes_and_slide_numbers() -> None:
    import pptx
    from pptx.oxml import parse_xml
    from pptx.util import Inches

    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    field = (
        "<a:fld xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main' type='slidenum' "
        "id='{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}'><a:t>7</a:t></a:fld>"
    )
    boxes = [slide.shapes.add_textbox(Inches(1), Inches(n), Inches(2), Inches(1)) for n in range(2)]
    for box, text in zip(boxes, ["ค่าเช่า", "hidden"], strict=True):
        box.text_frame.text = text
    boxes[0].text_frame.paragraphs[0]._p.append(parse_xml(field))
    boxes[1]._element.nvSpPr.cNvPr.set("hidden", "1")
    assert lines("a.pptx", saved(deck)) == ["ค่าเช่า"]


def test_frames_ruby_formulas_and_descriptions_of_open_document_texts_are_not_glued_to_words() -> None:
    names = ("office", "text", "table", "drawing", "svg-compatible")
    spaces = " ".join(f"xmlns:{name}='urn:oasis:names:tc:opendocument:xmlns:{name}:1.0'" for name in names)
    body = (
        "<text:p>See it. <drawing:frame><svg-compatible:desc>a photo</svg-compatible:desc><drawing:text-box>"
        "<text:p>เปิดเก้าโมง</text:p></drawing:text-box></drawing:frame>And go.</text:p>"
        "<text:p><text:ruby><text:ruby-base>東京</text:ruby-base><text:ruby-text>とうきょう</text:ruby-text></text:ruby>へ "
        "<drawing:frame><drawing:object xmlns:xlink='http://www.w3.org/1999/xlink' xlink:href='./Object 1/'/></drawing:frame>"
        "</text:p>"
        "<table:table><table:table-row table:visibility='collapse'><table:table-cell><text:p>no</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        text = f"<office:body><office:text>{body}</office:text></office:body>"
        archive.writestr("content.xml", f"<office:document-content {spaces}>{text}</office:document-content>")
        archive.writestr("Object 1/content.xml", "<math xmlns='http://www.w3.org/1998/Math/MathML'><mi>x</mi></math>")
    assert lines("a.odt", out.getvalue()) == ["See it. And go.", "เปิดเก้าโมง", "東京(とうきょう)へ x"]


def test_rich_text_keeps_merged_cells_older_numbers_frames_and_raised_text() -> None:
    def row(cells: list[tuple[str, int, str]]) -> str:
        shape = "".join(f"{merged}\\cellx{end}" for _, end, merged in cells)
        texts = "".join(text + "\\cell " for text, _, _ in cells)
        return f"\\trowd{shape}\\pard\\intbl {texts}\\row\n"

    text = (
        r"{\rtf1\ansi\ansicpg874\pard{\pntext 2.\tab}First 10{\up6 6} H{\dn4 2}O{\shp{\*\shpinst{\shptxt \pard Box.\par}}}\par "
        + row([("Region", 1000, "\\clvmgf"), ("2023", 3000, ""), ("2024", 4000, "\\clmgf"), ("", 5000, "\\clmrg")])
        + row([("", 1000, "\\clvmrg"), *((f"Q{1 + n % 2}", 2000 + 1000 * n, "") for n in range(4))])
        + row(
            [("\\'e0\\'cb\\'b9\\'d7\\'cd", 1000, ""), *((value, 2000 + 1000 * n, "") for n, value in enumerate("5678"))]
        )
        + r"\pard End.\par}"
    )
    assert lines("a.rtf", text.encode()) == ["2. First 10⁶ H₂O", "Box.", LEVELS[0], "End."]


def test_rich_text_takes_the_code_page_of_each_font() -> None:
    thai = "".join(f"\\'{byte:02x}" for byte in "เรือ".encode("cp874"))
    fonts = r"{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset222 B;}{\f2\fcharset163 C;}}"
    text = rf"{{\rtf1\ansi\ansicpg1252{fonts}\f1 {thai}\par\f2 H\'f4\'f2i\par\f0 caf\'e9\par}}"
    assert normalize(read_document_of(text).blocks).text.split() == ["เรือ", "Hội", "café"]


def read_document_of(text: str) -> Any:
    return read_document(Path("a.rtf"), text.encode("latin-1"))


def test_a_book_has_its_notes_where_they_are_marked_and_no_page_numbers_in_its_sentences() -> None:
    space = "xmlns='http://www.w3.org/1999/xhtml' xmlns:epub='http://www.idpf.org/2007/ops'"
    chapter = (
        "<p>ราคา 500<a epub:type='noteref' href='notes.xhtml#n1'>1</a> baht, or 600<a epub:type='noteref' href='#n2'>2</a> in "
        "all<span epub:type='pagebreak' title='12'>12</span>.</p><aside epub:type='footnote' id='n2'><p>With tax.</p></aside>"
    )
    notes = "<ol><li epub:type='endnote' id='n1'><p>In 2019. <a href='c.xhtml#r1'>back</a></p></li></ol>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfile full-path='p.opf'/></container>",
        )
        items = "".join(f"<item id='{n}' href='{n}.xhtml' media-type='application/xhtml+xml'/>" for n in ("c", "notes"))
        spine = "<spine><itemref idref='c'/><itemref idref='notes' linear='no'/></spine>"
        book = f"<package xmlns='http://www.idpf.org/2007/opf'><manifest>{items}</manifest>{spine}</package>"
        archive.writestr("p.opf", book)
        for name, body in (("c", chapter), ("notes", notes)):
            archive.writestr(f"{name}.xhtml", f"<html {space}><head><title/></head><body>{body}</body></html>")
    assert lines("a.epub", out.getvalue()) == [
        "ราคา 500 [1] baht, or 600 [2] in all.",
        "[1] In 2019.",
        "[2] With tax.",
    ]
