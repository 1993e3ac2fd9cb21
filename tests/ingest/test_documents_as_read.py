"""A file's text is what a careful person reads on its pages, with nothing joined, shifted or empty."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from pathlib import Path

import pytest

from ingest.encoding import decode
from ingest.normalize import normalize
from ingest.parse import page_notices, page_signs
from ingest.read import read_document
from ingest.readers import READERS, SUFFIXES
from ingest.sentences import sentences
from tests.ingest import files

THAI = "ราคาต่อวัน"
VIETNAMESE = "Giá mỗi ngày"
ARABIC = "السعر اليومي"
CHINESE = "每日价格"
TAB = "\t"
EMOJI = "🚣‍♀️"


def lines(name: str, content: bytes | str) -> list[str]:
    """Return the paragraphs of a file."""
    document = read_document(Path(name), content.encode() if isinstance(content, str) else content)
    return [line for line in normalize(document.blocks).text.split("\n") if line]


# Superscripts, subscripts and notes.


def test_a_raised_figure_never_joins_the_number_before_it() -> None:
    text = lines("a.html", "<p>480<sup>3</sup> boats, 10<sup>-6</sup> m, CO<sub>2</sub>, the 5<sup>th</sup> of May")
    assert text == ["480³ boats, 10⁻⁶ m, CO₂, the 5th of May"]
    assert lines("a.md", "480<sup>3</sup> boats, 10^6^ litres, H~2~O") == ["480³ boats, 10⁶ litres, H₂O"]
    run = "<w:r><w:t>480</w:t></w:r><w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>{}</w:t></w:r>"
    assert lines("a.docx", files.docx_with_body(f"<w:p>{run.format('3')}</w:p>")) == ["480³"]
    assert lines("a.docx", files.docx_with_body(f"<w:p>{run.format('bß')}</w:p>")) == ["480^(bß)"]


def test_a_footnote_is_marked_in_brackets_and_follows_its_paragraph_once() -> None:
    page = (
        "<p>The fee is 900<sup><a href='#n1' id='r1'>1</a></sup> baht<sup><a href='#n1'>1</a></sup>.<p>More."
        "<ol><li id='n1'>Since May. <a href='#r1'>↩</a></li></ol>"
    )
    assert lines("a.html", page) == ["The fee is 900 [1] baht [1].", "[1] Since May.", "More."]
    assert lines("a.md", "The fee is 900[^x] baht.\n\nMore.\n\n[^x]: Since May.\n") == [
        "The fee is 900 [1] baht.",
        "[1] Since May.",
        "More.",
    ]


# Tables.


def test_blank_cells_never_shift_a_value() -> None:
    assert lines("a.md", f"| Boat | {THAI} | {ARABIC} |\n|-|-|-|\n| Una |  | 420 |\n") == [f"Boat: Una | {ARABIC}: 420"]
    rows = "<table><tr><th>A<th>B<th>C<tr><td>x<td><td>3<tr><td><td>2<td></table>"
    assert lines("a.html", rows) == ["A: x | C: 3", "B: 2"]


def test_merged_cells_hold_for_every_row_and_column_that_they_span() -> None:
    page = (
        "<table><tr><th rowspan=2>Ward<th colspan=2>Beds<tr><th>2023<th>2024"
        "<tr><td rowspan=2>Surgery<td>24<td>25<tr><td colspan=2>18</table>"
    )
    assert lines("a.html", page) == [
        "Ward: Surgery | Beds, 2023: 24 | Beds, 2024: 25",
        "Ward: Surgery | Beds, 2023: 18 | Beds, 2024: 18",
    ]
    cell = "<w:tc><w:tcPr>{}</w:tcPr><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    rows = (
        ("<w:tblHeader/>", [("", "Ward"), ("", "Floor"), ("", "Beds")]),
        ("", [("<w:vMerge w:val='restart'/>", "Surgery"), ("", "2"), ("", "24")]),
        ("", [("<w:vMerge/>", ""), ("<w:gridSpan w:val='2'/>", "closed")]),
    )
    table = "".join(
        f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cell.format(*each) for each in cells)}</w:tr>"
        for properties, cells in rows
    )
    assert lines("a.docx", files.docx_with_body(f"<w:tbl>{table}</w:tbl>")) == [
        "Ward: Surgery | Floor: 2 | Beds: 24",
        "Ward: Surgery | Floor: closed | Beds: closed",
    ]


def test_every_row_of_a_long_table_names_its_columns_and_is_one_sentence() -> None:
    rows = "\n".join(f"| Station {n}. North | {n}.5 |" for n in range(300))
    found = lines("a.md", f"| Station | July rain |\n|-|-|\n{rows}\n")
    assert len(found) == 300
    assert all(line.startswith("Station: ") and "July rain: " in line for line in found)
    assert [span.of(found[7]) for span in sentences(found[7], "en")] == ["Station: Station 7. North | July rain: 7.5"]


# Numbers of lists.


def test_list_numbers_are_in_the_text_as_a_reader_sees_them() -> None:
    page = (
        "<ol start=7><li>a<li value=10>b</ol><ol type=i reversed><li>c<li>d</ol>"
        "<ol style='list-style-type:thai'><li>e</ol><ul><li>f</ul>"
    )
    assert lines("a.html", page) == ["7. a", "10. b", "ii. c", "i. d", "๑. e", "f"]
    assert lines("a.md", "3) x\n4) y\n\n- z\n") == ["3) x", "4) y", "z"]


@pytest.mark.parametrize(
    ("style", "text", "shown"),
    [
        ("decimal", "Article %1.", ["Article 3.", "Article 4."]),
        ("thaiNumbers", "ข้อ %1", ["ข้อ ๓", "ข้อ ๔"]),
        ("upperRoman", "%1)", ["III)", "IV)"]),
        ("lowerLetter", "(%1)", ["(c)", "(d)"]),
        ("thaiLetters", "%1.", ["ค.", "ฅ."]),
        ("chineseCounting", "第%1条", ["第三条", "第四条"]),
        ("bullet", "•", ["", ""]),
    ],
)
def test_word_numbers_its_paragraphs_in_the_text_too(style: str, text: str, shown: list[str]) -> None:
    level = f"<w:lvl w:ilvl='0'><w:start w:val='3'/><w:numFmt w:val='{style}'/><w:lvlText w:val='{text}'/></w:lvl>"
    found = lines("a.docx", numbered(level, [0, 0]))
    expected = [f"{number} {VIETNAMESE}".strip() for number in shown]
    if style == "thaiLetters":
        assert found[0] == expected[0]
    else:
        assert found == expected


def test_word_counts_levels_below_each_other() -> None:
    levels = (
        "<w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='upperRoman'/><w:lvlText w:val='%1.'/></w:lvl>"
        "<w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='decimal'/><w:isLgl/><w:lvlText w:val='%1.%2'/></w:lvl>"
    )
    found = lines("a.docx", numbered(levels, [0, 1, 1, 0, 1]))
    assert [line.split()[0] for line in found] == ["I.", "1.1", "1.2", "II.", "2.1"]


def numbered(levels: str, depths: list[int]) -> bytes:
    """Return a Word document of one paragraph for each depth, numbered by `levels`."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    numbering = (
        f"<w:numbering {space}><w:abstractNum w:abstractNumId='900'>{levels}</w:abstractNum>"
        "<w:num w:numId='900'><w:abstractNumId w:val='900'/></w:num></w:numbering>"
    )
    paragraph = "<w:p><w:pPr><w:numPr><w:ilvl w:val='{}'/><w:numId w:val='900'/></w:numPr></w:pPr><w:r><w:t>{}</w:t></w:r></w:p>"
    data = files.docx_with_body("".join(paragraph.format(depth, VIETNAMESE) for depth in depths))
    return files.replaced_part(data, "word/numbering.xml", numbering.encode())


# Struck, hidden and deleted text.


def test_what_is_struck_hidden_or_deleted_is_no_text() -> None:
    page = (
        "<style>.old { text-decoration: line-through } @media print { .day { display: none } } #x, .gone {display:none}</style>"
        f"<p>{THAI} <s>350</s> 420 <span class=old>9</span><span class=day>a day</span><p class=gone>no<p id=x>no"
        "<p style='visibility: hidden'>no<p style='position:absolute; left:-9999px'>no<p style='opacity:0'>no<dialog>no</dialog>"
    )
    assert lines("a.html", page) == [f"{THAI} 420 a day"]
    assert lines("a.md", f"{CHINESE} ~~350~~ 420\n\n~~gone~~\n") == [f"{CHINESE} 420"]
    run = "<w:r><w:rPr><w:{}/></w:rPr><w:t>no</w:t></w:r>"
    body = "".join(run.format(name) for name in ("strike", "dstrike", "vanish"))
    kept = "<w:r><w:rPr><w:strike w:val='0'/></w:rPr><w:t>kept</w:t></w:r>"
    deleted = "<w:del><w:r><w:t>no</w:t></w:r></w:del>"
    assert lines("a.docx", files.docx_with_body(f"<w:p>{body}{deleted}{kept}</w:p><w:p>{body}</w:p>")) == ["kept"]
    assert lines("a.rtf", rb"{\rtf1\ansi It costs {\strike 350} 420 baht{\super 1}, \v no\v0 yes.\par}") == [
        "It costs 420 baht¹, yes."
    ]


def test_rich_text_keeps_its_rows_whole_and_its_footnotes_behind_their_paragraph() -> None:
    row = rb"\trowd\cellx1000\cellx2000{{\pard\intbl %s\par}\cell}{{\pard\intbl %s\par}\cell}\intbl\row "
    notes = (
        rb"The vote{\super\chftn}{\footnote\pard\plain{\super\chftn} On 3 May.} was close{\*\footnote By ten.}.\par "
    )
    text = (
        rb"{\rtf1\ansi "
        + notes
        + row % (b"City", b"Price")
        + row % (b"Hue\\par old town", b"120")
        + rb"\pard End.\par}"
    )
    assert lines("a.rtf", text) == [
        "The vote [1] was close [2].",
        "[1] On 3 May.",
        "[2] By ten.",
        "City: Hue old town | Price: 120",
        "End.",
    ]


def test_navigation_and_cookie_bars_are_no_text_but_a_page_of_links_is() -> None:
    bar = "<nav><a href=x>Home</a></nav><div class='cookie-banner'>We use cookies</div><div role=navigation>Up</div>"
    assert lines("a.html", f"<body>{bar}<main><p>{VIETNAMESE}</main>") == [VIETNAMESE]
    assert lines("a.html", "<body><nav><a href=x>Home</a></nav>") == ["Home"]


# Formats.


def test_every_format_says_what_it_is_called_and_how_large_it_may_be() -> None:
    assert len({suffix for reader in READERS for suffix in reader.suffixes}) == sum(len(r.suffixes) for r in READERS)
    assert all(reader.name and reader.media_types and reader.max_bytes > 0 for reader in READERS)
    assert {".csv", ".xlsx", ".pptx", ".odt", ".epub", ".rtf", ".json", ".jsonl", ".eml", ".tsv"} <= SUFFIXES


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_rows_name_their_columns(delimiter: str) -> None:
    rows = [["Boat", THAI, "Note"], ["Una", "420", f'"a,{delimiter}b"'], ["Drina", "", EMOJI]]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    name = "a.tsv" if delimiter == "\t" else "a.csv"
    assert lines(name, text) == [
        f"Boat: Una | {THAI}: 420 | Note: a,{delimiter.replace(TAB, ' ')}b",
        f"Boat: Drina | Note: {EMOJI}",
    ]


def test_json_records_name_their_values() -> None:
    records = '{"boat": "Una", "price": {"day": 420, "week": null}, "tags": ["red", "wood"]}'
    expected = ["boat: Una | price, day: 420 | tags: red, wood"]
    assert lines("a.json", f"[{records}]") == expected
    assert lines("a.jsonl", f"{records}\n{records}\n") == expected * 2


def test_workbooks_keep_sheets_merged_cells_dates_and_percents_but_nothing_hidden() -> None:
    import datetime

    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = VIETNAMESE
    for row in (
        [THAI],
        ["Ward", "Opened", "Share", "Secret"],
        ["Surgery", datetime.date(2024, 5, 1), 0.125, 1],
        [None, None, 0.5, 2],
    ):
        sheet.append(row)
    sheet["C3"].number_format = "0.0%"
    sheet["C4"].number_format = "0%"
    sheet.merge_cells("A3:A4")
    sheet.column_dimensions["D"].hidden = True
    sheet.append(["Gone", None, 3, 4])
    sheet["A5"].font = Font(strike=True)
    book.create_sheet("Hidden").append(["no"])
    book["Hidden"].sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    assert lines("a.xlsx", out.getvalue()) == [
        VIETNAMESE,
        THAI,
        "Ward: Surgery | Opened: 2024-05-01 | Share: 12.5%",
        "Ward: Surgery | Share: 50%",
        "Share: 3",
    ]


def test_presentations_keep_titles_tables_and_notes_but_no_hidden_slide() -> None:
    import pptx
    from pptx.util import Inches

    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = THAI
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(5), Inches(1)).table
    for place, text in {(0, 0): "Boat", (0, 1): "Price", (1, 0): "Una", (1, 1): "420"}.items():
        table.cell(*place).text = text
    slide.notes_slide.notes_text_frame.text = ARABIC
    hidden = deck.slides.add_slide(deck.slide_layouts[5])
    hidden.shapes.title.text = "no"
    hidden._element.set("show", "0")
    out = io.BytesIO()
    deck.save(out)
    assert lines("a.pptx", out.getvalue()) == [THAI, "Boat: Una | Price: 420", ARABIC]


def test_books_are_read_in_their_order() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles>"
            "<rootfile full-path='o/p.opf'/></rootfiles></container>",
        )
        items = "".join(f"<item id='{n}' href='{n}.xhtml' media-type='application/xhtml+xml'/>" for n in "ab")
        archive.writestr(
            "o/p.opf",
            "<package xmlns='http://www.idpf.org/2007/opf' xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata>"
            f"<dc:title>{CHINESE}</dc:title></metadata><manifest>{items}</manifest>"
            "<spine><itemref idref='b'/><itemref idref='a'/></spine></package>",
        )
        for name, text in (("a", THAI), ("b", VIETNAMESE)):
            archive.writestr(f"o/{name}.xhtml", f"<html><body><p>{text}</p></body></html>")
    assert lines("a.epub", out.getvalue()) == [VIETNAMESE, THAI]
    assert read_document(Path("a.epub"), out.getvalue()).title == CHINESE


def test_mail_is_read_with_its_sender_and_names_its_attachments() -> None:
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["Subject"] = f"{VIETNAMESE} <an@example.org>", THAI
    message["Date"] = "Tue, 23 Jan 2024 10:00:00 +0700"
    message.set_content(ARABIC)
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="prices.pdf")
    document = read_document(Path("a.eml"), message.as_bytes())
    assert (document.title, document.author, document.published) == (THAI, VIETNAMESE, "2024-01-23")
    assert ARABIC in normalize(document.blocks).text
    assert page_notices(document) == ("Its attachments were not read: prices.pdf.",)


def test_open_document_texts_keep_lists_tables_and_notes_but_no_deletions() -> None:
    names = {"office": "office", "text": "text", "table": "table", "style": "style"}
    spaces = " ".join(
        f"xmlns:{short}='urn:oasis:names:tc:opendocument:xmlns:{name}:1.0'" for short, name in names.items()
    )
    content = (
        f"<office:document-content {spaces}><office:automatic-styles>"
        "<style:style style:name='S'><style:text-properties style:text-line-through-style='solid'/></style:style>"
        "<style:style style:name='U'><style:text-properties style:text-position='super 58%'/></style:style>"
        "<text:list-style style:name='L'><text:list-level-style-number text:level='1' style:num-format='i' "
        "style:num-prefix='(' style:num-suffix=')'/></text:list-style></office:automatic-styles>"
        "<office:body><office:text><text:tracked-changes><text:p>no</text:p></text:tracked-changes>"
        f"<text:h>{THAI}</text:h><text:p>480<text:span text:style-name='U'>3</text:span> boats"
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Counted.</text:p></text:note-body>"
        "</text:note> <text:span text:style-name='S'>no</text:span></text:p>"
        "<text:list text:style-name='L'><text:list-item><text:p>a</text:p></text:list-item>"
        "<text:list-item><text:p>b</text:p></text:list-item></text:list>"
        "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Boat</text:p></table:table-cell>"
        "<table:table-cell><text:p>Price</text:p></table:table-cell></table:table-row></table:table-header-rows>"
        "<table:table-row><table:table-cell/><table:table-cell><text:p>420</text:p></table:table-cell></table:table-row>"
        "</table:table></office:text></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)
    assert lines("a.odt", out.getvalue()) == [THAI, "480³ boats [1]", "[1] Counted.", "(i) a", "(ii) b", "Price: 420"]


# Front matter, encodings, sentences.


@pytest.mark.parametrize(
    "head",
    [
        "---\ntitle: Zrmanja: a guide\ndate: 2020-01-02\ntags:\n  - river\n---\n",
        '+++\ntitle = "Zrmanja: a guide"\ndate = 2020-01-02\n+++\n',
        '{"title": "Zrmanja: a guide", "date": "2020-01-02"}\n',
    ],
)
def test_front_matter_of_any_kind_is_metadata_and_no_text(head: str) -> None:
    document = read_document(Path("a.md"), f"{head}\n{VIETNAMESE}\n".encode())
    assert (document.title, document.published) == ("Zrmanja: a guide", "2020-01-02")
    assert normalize(document.blocks).text == VIETNAMESE


@pytest.mark.parametrize("text", ["<dl><dt>a<dd>b<dt>c<dd>d<dt>e<dd>f</dl>", "<p>a^2 + b^2 = c^2 a^3 b^4</p>"])
def test_markup_and_formulas_are_not_taken_for_typed_vietnamese(text: str) -> None:
    assert lines("a.html", text)
    assert decode(b"dates are typed dd mm yyyy here or dd mm yy there").text


def test_short_files_of_western_code_pages_are_read() -> None:
    text = "The café’s naïve prices – from €3 – haven’t changed."
    assert decode(text.encode("cp1252")).text == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "It took approx. 3.5 days to come by Eq. 4 of the book."),
        ("de", "Sie kam am 3. Okt. nach St. Gallen."),
        ("id", "Kantornya di Jl. Sudirman No. 5, Kec. Menteng, telp. 021."),
        ("en", "The price is given in Fig. 3 and Art. 12 of the same."),
        ("vi", "Ông Nguyễn V. An và ThS. Lê Thị Thử ở Q. 3, P. 5, TP. Hồ Chí Minh."),
        ("vi", unicodedata.normalize("NFD", "Bà PGS.TS. Trần Thị Bé đến từ TP. Huế hôm nay.")),
    ],
)
def test_no_sentence_is_cut_at_an_abbreviation(language: str, text: str) -> None:
    assert [span.of(text) for span in sentences(text, language)] == [text]


# Pages without text.


def test_pages_without_text_are_told() -> None:
    from ingest.blocks import RawDocument

    document = RawDocument((), "application/pdf", page_count=9, pages_without_text=(2, 3, 4, 7), recognized_pages=(8,))
    assert page_signs(document) == ("unread:2-4,7/9", "recognized:8/9")
    first, second = page_notices(document)
    assert first.startswith("4 of 9 pages have no text: 2-4, 7.")
    assert "1 of 9 pages was" in second or "1 of 9 pages" in second
