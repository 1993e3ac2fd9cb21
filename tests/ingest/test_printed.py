"""A page that a browser printed to PDF gives the words of the page, in any script."""

from __future__ import annotations

import html
import subprocess
import unicodedata
from pathlib import Path

import pytest
import regex

from ingest.normalize import normalize
from ingest.read import read_document
from tests.browser import FLAGS, find_browser

PARAGRAPHS = {
    "th": (
        "ที่ประชุมเห็นพ้องกันว่าประเทศกำลังพัฒนาควรได้รับความช่วยเหลือมากขึ้นในปีหน้า และจะมีการจัดตั้งกองทุนใหม่ขึ้นเพื่อการนี้ "
        "นอกจากนี้ที่ประชุมยังมีมติให้จัดการประชุมครั้งต่อไปที่กรุงเทพมหานคร ซึ่งคาดว่าจะมีผู้เข้าร่วมมากกว่าปีที่ผ่านมา"
    ),
    "vi": (
        "Hội nghị nhất trí rằng các nước đang phát triển cần được giúp đỡ nhiều hơn trong năm tới, và một quỹ mới sẽ được "
        "thành lập cho mục đích này. Cuộc họp tiếp theo sẽ được tổ chức tại Băng Cốc."
    ),
    "en": (
        "The meeting agreed that developing countries should receive more help next year, and that a new fund would be set "
        "up for the purpose. The next meeting will be held in Bangkok, with more people than in any year before."
    ),
}


THAI_FONTS = ["sans-serif", "Noto Sans Thai", "Noto Serif Thai", "Noto Looped Thai", "Garuda", "Loma", "Norasi"]
"""Those that are not installed are replaced by one that is."""


@pytest.fixture(scope="module", params=THAI_FONTS)
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paragraphs on a page that a real browser printed, in one of many fonts."""
    browser = find_browser()
    if browser is None:
        pytest.skip("There is no Chromium to print with.")
    folder = tmp_path_factory.mktemp("printed")
    body = "".join(f"<p lang={language}>{html.escape(words)}" for language, words in PARAGRAPHS.items())
    style = f"<style>body {{ font-family: '{request.param}' }}</style>"
    page = f"<meta charset=utf-8><title>Three languages</title>{style}{body}"
    (folder / "page.html").write_text(page, encoding="utf-8")
    subprocess.run(
        [
            browser,
            "--headless",
            *FLAGS,
            "--no-pdf-header-footer",
            f"--print-to-pdf={folder}/page.pdf",
            f"{folder}/page.html",
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder / "page.pdf"


def test_every_letter_of_a_printed_page_is_there_once(printed: Path) -> None:
    document = read_document(printed)
    text = normalize(document.blocks).text
    assert document.title == "Three languages"
    assert letters(text) == letters("".join(PARAGRAPHS.values()))


def test_printed_paragraphs_come_out_whole_in_any_font(printed: Path) -> None:
    lines = normalize(read_document(printed).blocks).text.split("\n")
    assert PARAGRAPHS["vi"] in lines
    assert PARAGRAPHS["en"] in lines
    (thai,) = (line for line in lines if regex.match(r"\p{Thai}", line))
    # Where a line was broken at a blank, the page no longer shows it; nowhere else does one come or go.
    words = set(PARAGRAPHS["th"].split())
    assert all(any(piece.startswith(word) for word in words) for piece in thai.split())


def letters(text: str) -> str:
    return regex.sub(r"\s", "", unicodedata.normalize("NFC", text))
