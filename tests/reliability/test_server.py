"""Under unusual load, a server names the limit when it refuses, keeps its memory, and stops work when its client leaves."""

from __future__ import annotations

import gc
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from assistant.server.app import application
from assistant.server.document_editor import MOST_WAITING, DocumentEditor
from assistant.server.intake import KEPT_ITEMS, Progress, Taken
from assistant.server.page_settings import MEBIBYTE, PageSettings
from assistant.server.serve import bound, server
from store.catalog.conversations import Conversations
from store.errors import RequestError
from tests.multipart import form_with_file
from tests.page.scripted import ScriptedAssistant
from tests.page_asking import page_states

if TYPE_CHECKING:
    from assistant.server.auth.scoped_access import Assistant
    from store.library import Library

AT_ONCE, WAITING = 4, 20
PLACES = AT_ONCE + WAITING


@dataclass
class Running:
    """A server, and what stands behind it."""

    port: int
    assistant: ScriptedAssistant
    editor: DocumentEditor
    uploads: Path

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=240)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()

    def upload(self, name: str, content: bytes) -> tuple[int, bytes]:
        """Send a file, as the page does."""
        body, headers = form_with_file(name, content)
        return self.request("POST", "/api/documents", body, **headers)

    def ask(self, question: str, ticket: str = "1") -> Iterator[dict[str, Any]]:
        """The states of an answer, asked as the page does."""
        return page_states(self.port, question, ticket)

    def stage(self, question: str) -> str:
        """How an answer ends."""
        return str(list(self.ask(question))[-1]["stage"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("server")
    assistant = ScriptedAssistant()
    with (
        closing(Conversations.open(folder / "catalog.sqlite")) as conversations,
        closing(bound("127.0.0.1", 0)) as listener,
    ):
        editor = DocumentEditor(cast("Library", assistant.library), _take_slowly, folder / "uploads")
        settings = PageSettings(max_upload_bytes=2 * MEBIBYTE, answers_at_once=AT_ONCE, queue_size=WAITING)
        app = application(cast("Assistant", assistant), conversations, settings, editor=editor)
        ready = threading.Event()
        made = server(app, ready.set)
        thread = threading.Thread(target=lambda: made.run(sockets=[listener]), daemon=True)
        thread.start()
        assert ready.wait(900)
        yield Running(listener.getsockname()[1], assistant, editor, folder / "uploads")
        made.should_exit = True
        thread.join(10)


def _take_slowly(path: Path, progress: Progress, collection: str | None = None) -> Taken:
    time.sleep(0.01)
    return Taken("added")


def test_an_upload_over_the_limit_is_refused_by_its_length_and_while_it_comes(running: Running) -> None:
    status, said = running.upload("a.txt", b"x" * (2 * MEBIBYTE + 1))
    assert status == 400
    assert "larger than the limit of 2 MiB" in json.loads(said)["message"]
    status, said = running.upload("a.txt", b"x" * (20 * MEBIBYTE))
    assert (status, b"larger than the limit of" in said) == (413, True)
    assert list(running.uploads.glob("**/*")) == []


def test_a_question_of_a_megabyte_is_refused_with_the_limit_named(running: Running) -> None:
    told = json.dumps(list(running.ask("ก" * 350_000)), ensure_ascii=False)
    assert "350,000" in told
    assert "20,000" in told
    status, said = running.request("POST", "/attest/ask", b"x" * (9 * MEBIBYTE))
    assert status == 413
    assert b"limit of 8,388,608 bytes" in said


def test_two_uploads_of_one_name_at_once_don_t_mix(running: Running) -> None:
    contents = [bytes([65 + number]) * 400_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda body: running.upload("same.txt", body), contents))
    assert [status for status, _ in replies] == [202] * 8
    assert (running.uploads / "same.txt").read_bytes() in contents
    assert [path.name for path in running.uploads.iterdir()] == ["same.txt"]


def test_past_so_many_waiting_files_one_more_is_refused_with_the_limit_named(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def take(path: Path, progress: Progress, collection: str | None = None) -> Taken:
        begun.set()
        assert go_on.wait(900)
        return Taken("added")

    editor = DocumentEditor(cast("Library", ScriptedAssistant().library), take, tmp_path)
    try:
        for number in range(MOST_WAITING + 1):
            editor.take(editor.place(f"{number}.txt", (".txt",)))
            assert begun.wait(900)
        with pytest.raises(RequestError, match=f"{MOST_WAITING:,} files are waiting"):
            editor.place("more.txt", (".txt",))
    finally:
        go_on.set()


@pytest.mark.hard
def test_ten_thousand_uploads_cost_no_memory(running: Running) -> None:
    def upload(number: int) -> tuple[int, bytes]:
        return running.upload(f"{number}.txt", b"words " * 50)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upload, range(500)))
        before = _memory()
        replies = list(pool.map(upload, range(10_000)))
    statuses = Counter(status for status, _ in replies)
    assert statuses[202] + statuses[400] == 10_000
    assert statuses[400], "nothing was ever refused"
    assert any(f"{MOST_WAITING:,} files are waiting" in json.loads(said)["error"] for _, said in replies)
    assert len(running.editor.items()) <= KEPT_ITEMS + MOST_WAITING + 2
    assert _memory() - before < 60 * MEBIBYTE


def test_a_client_that_leaves_stops_its_answer(running: Running) -> None:
    running.assistant.closed.clear()
    running.assistant.released.clear()
    told = running.ask("slowly the warning bells")
    writing = (state for state in told if state["stage"] == "writing")
    assert len(list(islice(writing, 3))) == 3, "the text has not begun"
    told.close()  # type: ignore[attr-defined]
    assert running.assistant.closed.wait(900), "the answer went on for nobody"


@pytest.mark.hard
def test_two_thousand_sessions_cost_no_memory(running: Running) -> None:
    def ask(number: int) -> None:
        assert running.stage("warning bells") == "done"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(300)))
        before = _memory()
        list(pool.map(ask, range(300, 2300)))
    assert _memory() - before < 16 * MEBIBYTE


@pytest.mark.parametrize("questions", [120, pytest.param(1000, marks=pytest.mark.hard)])
def test_a_flood_of_questions_is_refused_past_the_queue_and_the_server_goes_on(
    running: Running, questions: int
) -> None:
    assert running.stage("warm") == "done"
    before = _memory()
    running.assistant.released.clear()
    stages: Counter[str] = Counter()
    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(running.stage, "held bells") for _ in range(questions)]
        for each in as_completed(asked):
            stages[each.result()] += 1
            if stages["refused"] == questions - PLACES:
                running.assistant.released.set()
    assert stages == {"refused": questions - PLACES, "done": PLACES}
    assert _memory() - before < 80 * MEBIBYTE
    assert running.stage("warning bells") == "done"


def _memory() -> int:
    """Bytes that this process holds in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096
