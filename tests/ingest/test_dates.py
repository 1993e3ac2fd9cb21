"""A document's date is the author's, never the day on which a program wrote the file."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from ingest.blocks import RawDocument
from ingest.read import read_document

SOURCE = "---\ntitle: รายงานท่าเรือ\nauthor: Nguyễn Văn An\n{date}---\n\nThe harbour was deepened.\n"


def epub(*metadata: str) -> bytes:
    """Return a book of one page whose package says `metadata`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles>"
            "<rootfile full-path='book.opf'/></rootfiles></container>",
        )
        archive.writestr(
            "book.opf",
            "<package xmlns='http://www.idpf.org/2007/opf' xmlns:opf='http://www.idpf.org/2007/opf' "
            f"xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata>{''.join(metadata)}</metadata><manifest>"
            "<item id='a' href='a.xhtml' media-type='application/xhtml+xml'/></manifest><spine><itemref idref='a'/>"
            "</spine></package>",
        )
        archive.writestr("a.xhtml", "<html><body><p>The harbour was deepened.</p></body></html>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("metadata", "published"),
    [
        (["<dc:date>2019-04-03</dc:date>"], "2019-04-03"),
        (["<dc:date>2019</dc:date>", "<meta property='dcterms:modified'>2024-01-23T10:00:00Z</meta>"], "2019"),
        (["<dc:date opf:event='modification'>2024-01-23</dc:date>"], None),
        (
            ["<dc:date opf:event='creation'>2024-01-23</dc:date>", "<dc:date opf:event='publication'>1999</dc:date>"],
            "1999",
        ),
        (
            [
                "<dc:date>2024-01-23T10:00:00Z</dc:date>",
                "<meta property='dcterms:modified'>2024-01-23T10:00:00Z</meta>",
            ],
            None,
        ),
        (["<dc:date>0101-01-01T00:00:00+00:00</dc:date>"], None),
        ([], None),
    ],
)
def test_a_book_is_dated_by_its_publication_alone(metadata: list[str], published: str | None) -> None:
    assert read_document(Path("a.epub"), epub(*metadata)).published == published


@pytest.mark.skipif(shutil.which("pandoc") is None, reason="Pandoc is not installed")
@pytest.mark.parametrize("suffix", ["docx", "odt", "pptx", "epub", "rtf", "html"])
def test_a_file_by_pandoc_is_dated_only_by_what_its_author_said(tmp_path: Path, suffix: str) -> None:
    assert converted_by_pandoc(tmp_path, suffix, "").published is None
    dated = converted_by_pandoc(tmp_path, suffix, "date: 2019-04-03\n").published
    assert dated == ("2019-04-03" if suffix in ("epub", "html") else None)


def converted_by_pandoc(folder: Path, suffix: str, date: str) -> RawDocument:
    (folder / "a.md").write_text(SOURCE.format(date=date), encoding="utf-8")
    made = folder / f"a.{suffix}"
    subprocess.run(["pandoc", "--standalone", folder / "a.md", "--output", made], check=True, timeout=300)
    return read_document(made, made.read_bytes())


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("suffix", ["odt", "docx", "rtf", "pdf", "epub"])
def test_a_file_by_libreoffice_is_not_dated_by_its_template_or_its_clock(tmp_path: Path, suffix: str) -> None:
    import docx

    word = docx.Document()
    word.add_paragraph("ท่าเรือถูกขุดให้ลึกลง The harbour was deepened.")
    word.save(str(tmp_path / "a.docx"))  # python-docx stamps its template's day, 2013-12-23, on it.
    out = tmp_path / "out"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", suffix, "--outdir", str(out), str(tmp_path / "a.docx")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    made = out / f"a.{suffix}"
    assert read_document(made, made.read_bytes()).published is None


@pytest.mark.parametrize("kind", ["docx", "pptx", "xlsx"])
def test_the_day_on_which_an_office_file_was_made_is_no_publication_date(kind: str) -> None:
    data = {"docx": word_file, "pptx": slides_file, "xlsx": workbook_file}[kind]()
    assert read_document(Path(f"a.{kind}"), data).published is None


def word_file() -> bytes:
    import datetime

    import docx

    document, out = docx.Document(), io.BytesIO()
    document.add_paragraph("The harbour was deepened.")
    document.core_properties.created = datetime.datetime(2021, 5, 4, tzinfo=datetime.UTC)
    document.save(out)
    return out.getvalue()


def slides_file() -> bytes:
    import datetime

    import pptx

    slides, out = pptx.Presentation(), io.BytesIO()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = "The harbour was deepened."
    slides.core_properties.created = datetime.datetime(2021, 5, 4, tzinfo=datetime.UTC)
    slides.save(out)
    return out.getvalue()


def workbook_file() -> bytes:
    import openpyxl

    workbook, out = openpyxl.Workbook(), io.BytesIO()
    workbook.create_sheet("Harbour").append(["The harbour was deepened."])
    workbook.save(out)
    return out.getvalue()
