"""Measure how soon the page shows an answer, and how large it is, in a real browser.

    python -m evals.benchmarks.page http://127.0.0.1:7860 --browser /usr/bin/chromium

It asks a running server over the samples. Each question is typed into a page and sent with Enter. The time is the
page's own, from the key to the frame that shows the answering words: the short answer, or the first quote if there is
none. It also reports the server's own time for the same question, because a browser on the same machine uses its
processors, and the machine's load.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import httpx
import yaml

from evals.benchmarks.api import ask
from evals.formats.load import SHIPPED

if TYPE_CHECKING:
    from playwright.sync_api import Page

SUITE = SHIPPED / "within-language.yaml"
PATIENCE = 120_000
"""Milliseconds."""
ANSWERED = ".turn:last-child .short-answer, .turn:last-child .card blockquote, .turn:last-child .abstained"
_WATCH = f"""() => {{
    window.sent = window.answered = 0;
    addEventListener("keydown", (event) => {{ if (event.key === "Enter") window.sent = performance.now(); }}, true);
    const look = () => {{
        if (window.sent && !window.answered && document.querySelector({ANSWERED!r}))
            requestAnimationFrame(() => {{ window.answered ||= performance.now(); }});
    }};
    new MutationObserver(look).observe(document.body, {{ childList: true, subtree: true, attributes: true }});
}}"""
_LOADED = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .map((each) => [each.initiatorType, each.name, each.transferSize, each.decodedBodySize])"""


@dataclass(frozen=True, slots=True)
class Weight:
    """What a page loads, in files and kilobytes."""

    files: int
    sent: float
    unpacked: float
    scripts: int
    scripts_sent: float


def weight(page: Page, url: str) -> Weight:
    """Open the page for the first time, and return what it loads until questions are suggested."""
    page.goto(url)
    page.wait_for_selector("#examples .suggestion", timeout=PATIENCE)
    page.wait_for_load_state("networkidle", timeout=PATIENCE)
    loaded: list[tuple[str, str, int, int]] = page.evaluate(_LOADED)
    scripts = [each for each in loaded if each[0] == "script" or each[1].split("?")[0].endswith(".js")]
    kilobytes = 1 / 1000
    return Weight(
        files=len(loaded),
        sent=sum(each[2] for each in loaded) * kilobytes,
        unpacked=sum(each[3] for each in loaded) * kilobytes,
        scripts=len(scripts),
        scripts_sent=sum(each[2] for each in scripts) * kilobytes,
    )


def seconds_to_answer(page: Page, url: str, question: str) -> float:
    """Ask in a new conversation; return milliseconds from the key to the answering words."""
    page.goto(url)
    page.wait_for_selector("#examples .suggestion", timeout=PATIENCE)
    page.evaluate(_WATCH)
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_function("() => window.answered > 0", timeout=PATIENCE)
    page.wait_for_selector(".turn[data-state=finished]", timeout=PATIENCE)
    return float(page.evaluate("() => window.answered - window.sent"))


def on_server(url: str, questions: Sequence[str]) -> list[float]:
    """Return the milliseconds of each answer on the server, from the data that it also gives to traces."""

    async def every() -> list[float]:
        async with httpx.AsyncClient(base_url=url, timeout=600, trust_env=False) as client:
            return [(await ask(client, question)).pipeline for question in questions]

    return asyncio.run(every())


def questions_of(suite: Path = SUITE) -> Iterator[str]:
    """Yield the questions of a suite, alternating between languages."""
    cases: list[dict[str, Any]] = yaml.safe_load(suite.read_text(encoding="utf-8"))["cases"]
    by_language: dict[str, list[str]] = {}
    for case in cases:
        if "question" in case:
            by_language.setdefault(case.get("language", ""), []).append(case["question"])
    for place in range(max(map(len, by_language.values()))):
        yield from (asked[place] for asked in by_language.values() if place < len(asked))


@click.command()
@click.argument("url")
@click.option("--browser", type=click.Path(exists=True, path_type=Path), help="Chromium; else Playwright's own.")
@click.option("--questions", "count", default=21, show_default=True)
def main(url: str, browser: Path | None, count: int) -> None:
    """Print what the page weighs, and how soon it shows answers."""
    from playwright.sync_api import sync_playwright

    asked = list(islice(questions_of(), count + 1))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(browser) if browser else None)
        page = opened.new_page()
        found = weight(page, url)
        busy = os.getloadavg()[0]
        took = [seconds_to_answer(page, url, question) for question in asked][1:]  # the first one warms up
        opened.close()
    alone = on_server(url, asked)[1:]
    click.echo(
        f"page: {found.files} files, {found.sent:.0f} kB sent, {found.unpacked:.0f} kB unpacked; "
        f"{found.scripts} scripts, {found.scripts_sent:.0f} kB"
    )
    for name, times in (("to the answer on the page", took), ("the server's own time", alone)):
        ordered = sorted(times)
        click.echo(
            f"{name}: p50 {statistics.median(ordered):.0f} ms, p95 {ordered[int(0.95 * (len(ordered) - 1))]:.0f} ms"
        )
    click.echo(f"{len(took)} questions; {busy:.1f} processes waited for {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
