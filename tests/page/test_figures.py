"""How soon: the page after its server, the first quote after the question; over the real library and command.

Prints what it measures: ``pytest -m hard -s tests/page/test_figures.py tests/page/test_smooth.py``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.chromium import LastingBrowser

ATTEST = [sys.executable, "-c", "import sys; from assistant.cli import main; sys.exit(main())"]
QUESTIONS = (
    "When did the World Conference on Human Rights meet in Vienna?",
    "ใครเป็นประธานคณะกรรมการที่ยกร่างปฏิญญาสากลว่าด้วยสิทธิมนุษยชน",
    "Việt Nam lần đầu trúng cử vào Hội đồng Nhân quyền khi nào?",
    "How many of the 60 recommendations were carried out?",
    "โต๊ะกลมริมน้ำมีผู้เข้าร่วมทั้งหมดกี่คน",
    "Châu Phi có bao nhiêu ghế trong Hội đồng Nhân quyền?",
    "Who chaired the drafting committee of the Universal Declaration?",
    "AICHR เปิดตัวเมื่อใด",
    "Ai chủ trì sự kiện bên lề ở Geneva?",
)
_PAINTED = """() => new Promise(done => {
    const panel = document.querySelector('#panel-quotes');
    const began = performance.now();
    const look = () => panel.querySelector('blockquote')
        ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))) : requestAnimationFrame(look);
    look();
    document.querySelector('#composer').requestSubmit();
})"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `attest serve` over the samples."""
    home = tmp_path_factory.mktemp("figures")
    subprocess.run([*ATTEST, "--home", str(home), "prepare"], check=True, capture_output=True, cwd=_root())
    command = [*ATTEST, "--home", str(home), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_root()) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.split()[4]
        process.terminate()


def _root() -> Path:
    return Path(__file__).resolve().parents[2]


def _ready(page: Page, address: str) -> float:
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_function("document.querySelector('#library-size')?.textContent")
    return time.perf_counter() - began


@pytest.mark.hard
def test_the_page_is_ready_within_two_seconds_of_its_server(served: str, browser: LastingBrowser) -> None:
    seconds = []
    for _ in range(5):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        seconds.append(_ready(page, served))
        page.context.close()
    print(f"page ready: the first {seconds[0]:.2f} s, later ones {statistics.median(seconds[1:]):.2f} s (median of 4)")
    assert seconds[0] <= 2


@pytest.mark.hard
def test_the_first_quote_is_painted_within_half_a_second_of_the_question(served: str, browser: LastingBrowser) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    _ready(page, served)
    milliseconds = []
    for question in QUESTIONS:
        page.click(".side [data-do='conversation.new']")
        page.fill("#question", question)
        milliseconds.append(page.evaluate(_PAINTED))
        page.wait_for_selector(".turn[data-state=finished]")
        page.wait_for_selector("#suggestions .suggestion", timeout=30_000)
    page.context.close()
    print(f"first quote painted: median {statistics.median(milliseconds):.0f} ms, slowest {max(milliseconds):.0f} ms")
    assert statistics.median(milliseconds) <= 500
