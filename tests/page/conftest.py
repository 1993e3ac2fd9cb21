"""Start one real server and one real browser for all tests of the page."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pytest

from assistant.server.app import application
from assistant.server.auth.scoped_access import Assistant
from assistant.server.document_editor import DocumentEditor
from assistant.server.evaluation_runs import EvaluationRuns
from assistant.server.page_settings import MEBIBYTE, PageSettings
from assistant.server.serve import bound, server
from store.catalog.conversations import Conversations
from tests.page.scripted import ScriptedAssistant

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

    from store.library import Library
    from tests.chromium import LastingBrowser


@dataclass
class Served:
    """A running server and what stands behind it."""

    address: str
    assistant: ScriptedAssistant
    conversations: Conversations


EVALUATE = """
import sys, time
from pathlib import Path
arguments = sys.argv[1:]
if arguments[1] == "review":
    from assistant.cli import main
    sys.exit(main())
page = Path(arguments[arguments.index("--html") + 1])
if arguments[1] == "compare":
    names = " and ".join(Path(folder).name for folder in arguments[2:4])
    page.write_text(f"<h1>Compared {names}</h1><script>window.hacked = 7</script>")
    sys.exit(0)
if "broken" in arguments[2]:
    print("Traceback: noise\\nThe suite can't be read: line 3.", file=sys.stderr)
    sys.exit(2)
folder = Path(arguments[arguments.index("--out") + 1])
folder.mkdir()
(folder / "cases.jsonl").write_text("{}\\n" * 4)
(folder / "run.json").write_text("{}")
for _ in range(4):
    time.sleep(0.4)
    with (folder / "results.jsonl").open("a") as file:
        file.write("{}\\n")
page.write_text(f"<h1>Report of {folder.name}</h1>")
"""


DRAFTED = """\
suite: harbor
cases:
- id: vi-1
  draft: true
  question: Cầu dài bao nhiêu?
  language: vi
  answers: [200 mét]
  expect: {answerable: true}
  note: From bridge.vi.txt.
- id: vi-2
  draft: true
  question: Cầu dài bao nhiêu năm 1990?
  language: vi
  expect: {answerable: false}
  note: vi-1 with a year.
- id: en-1
  question: Who built it?
"""


@pytest.fixture(scope="session")
def bench_parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path, Path]:
    """A command with the files and exit codes of `attest eval`, which takes seconds instead of minutes; `review` is real."""
    folder = tmp_path_factory.mktemp("evaluation_runs")
    (folder / "suites").mkdir()
    for name in ("smoke", "broken"):
        (folder / "suites" / f"{name}.yaml").write_text("suite: x")
    (folder / "own").mkdir()
    (folder / "own" / "harbor.yaml").write_text(DRAFTED, encoding="utf-8")
    (folder / "command.py").write_text(EVALUATE)
    return [sys.executable, str(folder / "command.py")], folder / "suites", folder / "runs"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, bench_parts: tuple[list[str], Path, Path]) -> Iterator[Served]:
    """The page on a free port of this machine."""
    assistant = ScriptedAssistant()
    catalog = tmp_path_factory.mktemp("page") / "catalog.sqlite"
    with closing(Conversations.open(catalog)) as conversations, closing(bound("127.0.0.1", 0)) as listener:
        editor = DocumentEditor(cast("Library", assistant.library), assistant.take, catalog.parent / "uploads")
        settings = PageSettings(
            written_mode=True, translations=True, max_upload_bytes=2 * MEBIBYTE, web_uploads="any", web_seconds=3
        )
        evaluation_runs = EvaluationRuns(*bench_parts, bench_parts[1].parent / "own")
        app = application(
            cast("Assistant", assistant), conversations, settings, editor=editor, evaluation_runs=evaluation_runs
        )
        ready = threading.Event()
        running = server(app, ready.set)
        thread = threading.Thread(target=lambda: running.run(sockets=[listener]), daemon=True)
        thread.start()
        assert ready.wait(900), "the server did not start"
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}/", assistant, conversations)
        running.should_exit = True
        thread.join(10)


@dataclass
class Visit:
    """A page in a browser of its own, and what was seen while it was open."""

    page: Page
    context: BrowserContext
    foreign: list[str] = field(default_factory=list)
    """Requests to anywhere but the server."""
    errors: list[str] = field(default_factory=list)
    """Errors of scripts, and of the content policy."""

    def ask(self, question: str) -> None:
        """Type a question, send it, and wait for the finished answer."""
        before = self.page.locator(".turn[data-state=finished]").count()
        self.page.fill("#question", question)
        self.page.press("#question", "Enter")
        self.page.wait_for_function(
            "n => document.querySelectorAll('.turn[data-state=finished]').length > n", arg=before
        )

    def open_source(self, key: int, turn: str = ":last-child") -> Locator:
        """Open the source of a quote of a turn, as a reader does, and return the marked words once they are shown.

        The source that opens by itself beside an answer doesn't take the focus: so this waits for the one asked for.
        """
        article = self.page.locator(f".turn{turn}")
        opener = f".mark[data-key='{key}'], .card[data-key='{key}'] .card-open"
        article.evaluate("each => { for (const folded of each.querySelectorAll('.more-quotes')) folded.open = true; }")
        article.locator(opener).first.click()
        place = f"#panel-reader[data-turn='{article.get_attribute('data-turn')}'] .reader[data-key='{key}']"
        self.page.wait_for_selector(f"{place} .reader-text:focus")
        return self.page.locator(f"{place} mark.current")


class Visitors:
    """Opens browsers on the page; each has its own cookies and storage."""

    def __init__(self, browser: LastingBrowser, address: str) -> None:
        self._browser = browser
        self._address = address
        self.visits: list[Visit] = []
        self._usual: BrowserContext | None = None

    def _context(self, browser: Browser, options: dict[str, Any]) -> BrowserContext:
        """A browser of its own. The first usual one of each test has its scripts cached from earlier tests."""
        usual: dict[str, Any] = {"locale": "en-US", "viewport": {"width": 1440, "height": 900}}
        if options or self.visits:
            return browser.new_context(**(usual | options))
        if self._usual is None or self._usual.browser is not browser:
            self._usual = browser.new_context(**usual)
        return self._usual

    def open(self, path: str = "", wait: bool = True, **options: Any) -> Visit:
        """A new browser at `path`; `options` are Playwright's for a context."""
        context, page = self._browser.open(lambda browser: self._context(browser, options))
        context.set_default_timeout(900_000)
        visit = Visit(page, context)
        host = urlsplit(self._address).netloc

        def watch(url: str) -> None:
            parts = urlsplit(url)
            if parts.scheme not in ("data", "blob", "about") and parts.netloc != host:
                visit.foreign.append(url)

        def log(kind: str, text: str) -> None:
            # Gradio's client aborts its own stream when a page is left, and reports that as errors.
            if kind == "error" and "AbortError" not in text and "rrored out" not in text:
                visit.errors.append(text)

        visit.page.on("request", lambda request: watch(request.url))
        visit.page.on("console", lambda message: log(message.type, message.text))
        visit.page.on("pageerror", lambda error: log("error", str(error)))
        self.visits.append(visit)
        visit.page.goto(self._address + path)
        if wait:
            visit.page.wait_for_selector("#question")
        return visit

    def close(self) -> None:
        """Close all browsers; nothing may have been asked of another machine, no script may have failed."""
        foreign = [url for visit in self.visits for url in visit.foreign]
        errors = [text for visit in self.visits for text in visit.errors]
        self._browser.put_away(self._put_away)
        self.visits.clear()
        assert foreign == []
        assert errors == []

    def _put_away(self) -> None:
        for visit in self.visits:
            if visit.context is self._usual and not visit.page.is_closed():
                visit.page.evaluate("localStorage.clear()")
            visit.page.close()
            if visit.context is not self._usual:
                visit.context.close()
        if self._usual is not None:
            self._usual.clear_cookies()
            self._usual.set_offline(False)


@pytest.fixture(scope="session")
def all_visitors(browser: LastingBrowser, served: Served) -> Visitors:
    """Keeps one browser's cache of scripts over all tests."""
    return Visitors(browser, served.address)


@pytest.fixture
def visitors(all_visitors: Visitors) -> Iterator[Visitors]:
    """Browsers; at the end none may have called another machine or had an error."""
    yield all_visitors
    all_visitors.close()


@pytest.fixture
def visit(visitors: Visitors) -> Visit:
    """One browser with the page open."""
    return visitors.open()
