"""Files of any format give their whole text, or one sentence that says why not."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from ingest import limits
from ingest.blocks import RawDocument
from ingest.normalize import normalize
from ingest.read import read_document
from store.errors import ReadError
from tests.ingest import files
from tests.memory import begin, peak_megabytes

THAI = "ที่ประชุมเห็นพ้องกันเรื่องงบประมาณ"
VIETNAMESE = "Hội nghị thống nhất về ngân sách"
ARABIC = "اتفق المجتمعون على الميزانية"
CHINESE = "会议就预算达成一致"
EMOJI = "👩‍👩‍👧 🏳️‍🌈"
MANY = [THAI, VIETNAMESE, ARABIC, CHINESE, EMOJI]


class Read(Protocol):
    """Writes a file and reads it."""

    def __call__(self, name: str, content: bytes | str) -> RawDocument: ...


@pytest.fixture(name="read")
def read_fixture(tmp_path: Path) -> Read:
    def read(name: str, content: bytes | str) -> RawDocument:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_document(path)

    return read


def words(document: RawDocument) -> str:
    return normalize(document.blocks).text


def test_markdown_is_read_without_its_marks(read: Read) -> None:
    document = read(
        "a.md",
        f"---\ntitle: Tên\nauthor: An\ndate: 2023-06-14\n---\n# {THAI}\n\n"
        "**Bold** and _soft_\nline [link](http://x) &amp; `code`\n\n"
        f"- {VIETNAMESE}\n- {CHINESE}\n\n| a | b |\n| - | - |\n| {ARABIC} | 2 |\n\n"
        "```\nx = 1\ny\n```\n<div>raw <b>html</b></div>\n",
    )
    assert (document.title, document.author, document.published) == ("Tên", "An", "2023-06-14")
    result = normalize(document.blocks)
    assert result.text.split("\n\n") == [
        THAI,
        "Bold and soft line link & code",
        VIETNAMESE,
        CHINESE,
        f"a: {ARABIC} | b: 2",
        "x = 1\ny",
        "raw html",
    ]
    assert result.headings is not None
    assert [span.of(result.text) for span in result.headings] == [THAI]


def test_html_is_read_without_scripts_styles_and_hidden_text(read: Read) -> None:
    document = read(
        "a.html",
        "<!doctype html><title>The  title</title><meta name=author content=Lan>"
        "<meta property='article:published_time' content='2024-01-23T10:00:00Z'><style>p{}</style>"
        f"<h1>{THAI}</h1><script>evil()</script><p>One<br>two<span style='display:none'>no</span></p>"
        "<p hidden>no</p><template>no</template><noscript>no</noscript>"
        f"<table><tr><th>a<th>b<tr><td>{ARABIC}<td><p>2</p></table><ul><li>x<li>y</ul><!-- no -->tail",
    )
    assert (document.title, document.author, document.published) == ("The title", "Lan", "2024-01-23")
    assert words(document).split("\n\n") == [THAI, "One\ntwo", f"a: {ARABIC} | b: 2", "x", "y", "tail"]


def test_no_word_of_thirty_real_pages_is_lost(shared: Path) -> None:
    for path in sorted((shared / "data/udhr/html").glob("*.html")):
        text = regex.sub(r"\s+", "", words(read_document(path)))
        for node in LexborHTMLParser(path.read_text(encoding="utf-8")).css("h1, h2, h3, p, li"):
            expected = normalize(()).text + regex.sub(r"\s+", "", words(_as_text(node.text())))
            assert expected in text, path.name
        assert "function(" not in text


def _as_text(text: str) -> RawDocument:
    from ingest.blocks import Block

    return RawDocument((Block(text, "paragraph"),), "text/plain")


@pytest.mark.parametrize("charset", ["windows-874", "tis-620", "utf-8"])
def test_html_is_decoded_as_it_says(read: Read, charset: str) -> None:
    page = f'<html><head><meta charset="{charset}"></head><body><p>{THAI}</p></body></html>'
    assert words(read("a.htm", page.encode("cp874" if charset != "utf-8" else "utf-8"))) == THAI


def test_word_documents_keep_headings_tables_boxes_and_notes_but_not_what_was_deleted(read: Read) -> None:
    document = read("a.docx", files.docx([(THAI, "Heading 1"), (VIETNAMESE, None)], title="Tên", author="An"))
    assert (document.title, document.author) == ("Tên", "An")
    result = normalize(document.blocks)
    assert result.text == f"{THAI}\n\n{VIETNAMESE}"
    assert result.headings is not None
    assert [span.of(result.text) for span in result.headings] == [THAI]
    body = (
        "<w:p><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>old</w:delText><w:t>old</w:t></w:r></w:del></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        "<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></w:pict>"
        "<w:t>around</w:t><w:br/><w:t>it</w:t></w:r></w:p>"
    )
    assert words(read("b.docx", files.docx_with_body(body))).split("\n\n") == [
        "kept inserted",
        "control",
        "a b | c",
        "around\nit",
        "box",
    ]


def test_a_pdf_in_any_script_keeps_its_pages(read: Read) -> None:
    document = read(
        "a.pdf",
        files.pdf(
            [[THAI, VIETNAMESE], [], [CHINESE]], {"Title": "Tên", "Author": "An", "CreationDate": "D:20240123090000Z"}
        ),
    )
    assert (document.title, document.author, document.published) == ("Tên", "An", None)
    result = normalize(document.blocks)
    assert result.text == f"{THAI}\n{VIETNAMESE}\n\n{CHINESE}"
    assert [result.text[start:][:3] for start in result.pages] == [THAI[:3], CHINESE[:3], CHINESE[:3]]


def test_the_format_is_told_by_content_where_the_name_is_wrong(read: Read) -> None:
    assert read("a.txt", files.pdf([[THAI]])).media_type == "application/pdf"
    assert words(read("b.txt", f"<!DOCTYPE html><p>{THAI}</p>")) == THAI
    assert words(read("c.txt", files.docx([(THAI, None)]))) == THAI
    assert words(read("d.md", THAI.encode("utf-16"))) == THAI


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n\xef\xbb\xbf \n", "empty"),
        ("a.html", b"<html><body><script>x</script></body></html>", "no text"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(500), "binary"),
        ("a.pdf", files.encrypted_pdf(), "encrypted"),
        ("a.pdf", files.pdf([["long enough"] * 20])[:300], "damaged"),
        ("a.pdf", b"hello", "named .pdf"),
        ("a.pdf", files.pdf([[], []]), "scan"),
        ("a.pdf", files.pdf_with_a_loop(), "damaged|scan"),
        ("a.docx", b"PK\x03\x04 word/ broken", "damaged"),
        ("a.docx", files.docx([("x" * 1000, None)])[:-400], "damaged"),
        ("a.docx", files.docx_with_body("<w:p><w:r><w:t>open"), "damaged"),
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64) + "EncryptedPackage".encode("utf-16-le"),
            "encrypted",
        ),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64), "old Office"),
        ("a.zip", b"PK\x03\x04" + bytes(64), "zip archive"),
        ("a.docx", files.lying_zip_bomb(), "limit|damaged"),
        ("a.docx", files.docx_with_body("<w:p/>" + " " * 100 * 2**20), "limit"),
        ("a.html", b"<div>" * 100_000 + b"x", "2,000 deep"),
        ("a.html", b"<b><ul><li>" * 100_000 + b"x", "2,000 deep"),
        ("a.md", b"> " * 100_000 + b"x", "deep"),
        ("a.txt", b"x" * (limits.MAX_TEXT_FILE_BYTES + 1), "limit is 32 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_named(read: Read, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(ReadError, match=reason) as caught:
        read(name, content)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_an_entity_bomb_expands_to_nothing(read: Read) -> None:
    prolog = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">' + "".join(
        f'<!ENTITY {chr(99 + n)} "{f"&{chr(98 + n)};" * 8}">' for n in range(15)
    )
    before = begin()
    try:
        text = words(read("a.docx", files.docx_with_body("<w:p><w:r><w:t>safe &p;</w:t></w:r></w:p>", prolog + "]>")))
        assert len(text) < 100
    except ReadError:
        pass
    assert peak_megabytes() - before < 200


def test_an_entity_cannot_fetch_a_file(read: Read, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("top secret")
    prolog = f'<!DOCTYPE b [<!ENTITY x SYSTEM "file://{secret}">]>'
    with contextlib.suppress(ReadError):
        body = "<w:p><w:r><w:t>safe &x;</w:t></w:r></w:p>"
        assert "secret" not in words(read("a.docx", files.docx_with_body(body, prolog)))


def test_devices_pipes_folders_and_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    for path in (Path("/dev/zero"), Path("/dev/tty"), tmp_path / "pipe.txt", tmp_path, tmp_path / "missing.txt"):
        with pytest.raises(ReadError, match=r"device|opened|empty"):
            read_document(path)


@pytest.mark.parametrize("suffix", ["txt", "md", "html"])
@settings(max_examples=60)
@given(
    content=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore")))
)
def test_any_bytes_give_text_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes
) -> None:
    try:
        read_document(Path(f"any.{suffix}"), content)
    except ReadError as error:
        assert str(error).endswith(".")


@settings(max_examples=40)
@given(st.integers(0, 4_000), st.binary(min_size=1, max_size=6))
def test_a_damaged_word_document_gives_text_or_one_sentence(place: int, noise: bytes) -> None:
    data = files.docx([(THAI, None)])
    damaged = data[: place * len(data) // 4_000] + noise + data[place * len(data) // 4_000 + len(noise) :]
    try:
        read_document(Path("any.docx"), damaged)
    except ReadError as error:
        assert str(error).endswith(".")


HOSTILE_RUNS = [
    *'?\ufffd <>a=&^.\n\f\t-)"\u200d\ufe0f\u0301\u0e40\U000e0041中ก',
    "a?",
    "<a ",
    "<!--",
    " \n",
    "\n \f",
    "(a(",
    "a\n",
    "[",
    "**",
    "1. ",
    "- ",
    "| ",
    "`",
    "&#",
]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_no_run_of_characters_makes_reading_hang(name: str) -> None:
    for run in HOSTILE_RUNS:  # Whatever takes the square of this length runs into the suite's time limit.
        with contextlib.suppress(ReadError):
            normalize(read_document(Path(name), (run * (200_000 // len(run)) + "x").encode()).blocks)
