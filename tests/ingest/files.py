"""Make files of every format for the tests: normal, broken and hostile ones."""

from __future__ import annotations

import io
import zipfile

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def pdf(pages: list[list[str]], metadata: dict[str, str] | None = None) -> bytes:
    """A PDF in any script: each page is a list of lines. Its font has no shapes, only a map to Unicode."""
    placed = [[(72.0, 760.0 - 20 * number, line) for number, line in enumerate(page)] for page in pages]
    return placed_pdf(placed, metadata=metadata)


def placed_pdf(
    pages: list[list[tuple[float, float, str]]],
    rules: list[tuple[float, float, float]] | None = None,
    metadata: dict[str, str] | None = None,
    uprights: list[tuple[float, float, float]] | None = None,
    table: list[list[tuple[str, list[int], int, int]]] | None = None,
) -> bytes:
    """A PDF of texts at places, in points from the bottom left. Each character is 5 points wide, of a size of 10.

    `rules` are lines that are drawn on each page, from one x to another at a y, `uprights` from one y to another at an x.
    `table` tags the texts of a single page: rows of cells, each ``TH`` or ``TD``, with the numbers of its texts and the
    rows and columns that it spans.
    """
    characters = sorted({character for page in pages for _, _, text in page for character in text})
    codes = {character: number + 1 for number, character in enumerate(characters)}
    ranges = "\n".join(
        f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>" for character, code in codes.items()
    )
    to_unicode = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{ranges}\nendbfchar\nendcmap end end"
    )
    contents = []
    for page in pages:
        shown = [f"1 0 0 1 {x} {y} Tm <{''.join(f'{codes[c]:04X}' for c in text)}> Tj" for x, y, text in page]
        if table is not None:
            shown = [f"/Span << /MCID {number} >> BDC {text} EMC" for number, text in enumerate(shown)]
        drawn = "".join(f"{left} {y} m {right} {y} l S " for left, right, y in rules or [])
        drawn += "".join(f"{x} {bottom} m {x} {top} l S " for bottom, top, x in uprights or [])
        contents.append(f"{drawn}BT /F1 10 Tf {' '.join(shown)} ET" if page else drawn)
    kids = " ".join(f"{6 + 2 * number} 0 R" for number in range(len(pages)))
    info = " ".join(f"/{key} <{('﻿' + value).encode('utf-16-be').hex()}>" for key, value in (metadata or {}).items())
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts "
        "[<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity)"
        " /Supplement 0 >> /DW 500 >>] /ToUnicode 4 0 R >>",
        _stream(to_unicode),
        f"<< {info} >>",
    ]
    for number, content in enumerate(contents):
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {7 + 2 * number} 0 R >>"
        )
        objects.append(_stream(content))
    if table is not None:
        objects[0] = (
            f"<< /Type /Catalog /Pages 2 0 R /MarkInfo << /Marked true >> /StructTreeRoot {len(objects) + 1} 0 R >>"
        )
        objects[5] = objects[5].replace("/Type /Page ", "/Type /Page /StructParents 0 ")
        objects += _tags(len(objects) + 1, table, len(pages[0]))
    return _assembled(objects)


def _tags(first: int, table: list[list[tuple[str, list[int], int, int]]], texts: int) -> list[str]:
    """The objects, from number `first` on, of a structure of one table on the first page."""
    cells = [cell for row in table for cell in row]
    row_at, cell_at = first + 2, first + 2 + len(table)
    owners = {text: cell_at + number for number, (_, own, _, _) in enumerate(cells) for text in own}
    parents = " ".join(f"{owners.get(text, first + 1)} 0 R" for text in range(texts))
    objects = [
        f"<< /Type /StructTreeRoot /K {first + 1} 0 R /ParentTree << /Nums [0 [{parents}]] >> >>",
        f"<< /S /Table /P {first} 0 R /K [{' '.join(f'{row_at + row} 0 R' for row in range(len(table)))}] >>",
    ]
    number = cell_at
    for row in table:
        kids = " ".join(f"{number + place} 0 R" for place in range(len(row)))
        objects.append(f"<< /S /TR /P {first + 1} 0 R /K [{kids}] >>")
        number += len(row)
    for row_number, row in enumerate(table):
        for kind, own, rows, columns in row:
            spans = f"/A << /O /Table /RowSpan {rows} /ColSpan {columns} >>"
            kids = " ".join(map(str, own))
            objects.append(f"<< /S /{kind} /P {row_at + row_number} 0 R /Pg 6 0 R {spans} /K [{kids}] >>")
    return objects


def pdf_with_a_loop() -> bytes:
    """A PDF whose page tree holds itself."""
    return _assembled(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>"])


def encrypted_pdf() -> bytes:
    """A PDF that asks for a password (its keys are made up: no password opens it)."""
    data = pdf([["secret"]])
    encryption = (
        f"/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <{'11' * 32}> /U <{'22' * 32}> >> /ID [<00> <00>]"
    )
    return data.replace(b"/Root 1 0 R", f"/Root 1 0 R {encryption}".encode())


def _stream(text: str) -> str:
    return f"<< /Length {len(text)} >>\nstream\n{text}\nendstream"


def _assembled(objects: list[str]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1"))
    start = out.tell()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{start}\n%%EOF".encode())
    return out.getvalue()


def docx(paragraphs: list[tuple[str, str | None]], title: str = "", author: str = "") -> bytes:
    """A Word document of (text, style) paragraphs, as python-docx writes it."""
    import docx as library

    document = library.Document()
    for text, style in paragraphs:
        document.add_paragraph(text, style)
    document.core_properties.title = title
    document.core_properties.author = author
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def docx_with_body(body: str, prolog: str = "") -> bytes:
    """A Word document whose ``word/document.xml`` has this body."""
    declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    xml = f'{declaration}{prolog}<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>'
    return replaced_part(docx([("x", None)]), "word/document.xml", xml.encode())


def replaced_part(data: bytes, name: str, content: bytes) -> bytes:
    """The zip archive `data` with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            target.writestr(part.filename, content if part.filename == name else source.read(part.filename))
    return out.getvalue()


def lying_zip_bomb() -> bytes:
    """A Word document whose main part says that it unpacks to 100 bytes and unpacks to 200 MB."""
    bomb = replaced_part(docx([("x", None)]), "word/document.xml", bytes(200 * 2**20))
    real = (200 * 2**20).to_bytes(4, "little")
    return bomb.replace(real, (100).to_bytes(4, "little"))
