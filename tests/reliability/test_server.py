"""A server under strange load: refusals that name the limit, memory that stays, work that ends with its client."""

from __future__ import annotations

import gc
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from assistant.server.app import application
from assistant.server.serve import bound, server
from assistant.server.settings import MEBIBYTE, PageSettings
from assistant.server.uploads import KEPT_ITEMS, MOST_WAITING, DocumentEditor, Progress, Taken
from store.catalog.conversations import Conversations
from store.errors import RequestError
from tests.multipart import form_with_file
from tests.page.scripted import ScriptedAssistant

if TYPE_CHECKING:
    from assistant.server.auth.scoped_access import Assistant
    from store.library import Library


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

    def join(self, question: str, session: str) -> int:
        """Put a question into Gradio's queue, as the page does; returns the status."""
        event = {"ticket": session, "question": question, "options": {}}
        payload = {"data": [], "event_data": event, "fn_index": self._ask, "session_hash": session, "trigger_id": 1}
        status, _ = self.request(
            "POST", "/gradio_api/queue/join", json.dumps(payload).encode(), **{"Content-Type": "application/json"}
        )
        return status

    def answers(self, session: str) -> Iterator[dict[str, Any]]:
        """What Gradio's queue tells a session."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request("GET", f"/gradio_api/queue/data?session_hash={session}")
            response = connection.getresponse()
            for line in response:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    @cached_property
    def _ask(self) -> int:
        """The number of the function that asks."""
        _, page = self.request("GET", "/")
        config = json.loads(page.split(b"window.gradio_config = ", 1)[1].split(b";</script>", 1)[0])
        return next(int(each["id"]) for each in config["dependencies"] if [t[1] for t in each["targets"]] == ["submit"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("server")
    assistant = ScriptedAssistant()
    with (
        pytest.MonkeyPatch.context() as patched,
        closing(Conversations.open(folder / "catalog.sqlite")) as conversations,
        closing(bound("127.0.0.1", 0)) as listener,
    ):
        patched.setattr(
            "assistant.server.page.gradio.cleanup.UNREAD", 2.0
        )  # who joins here and comes at all comes at once
        editor = DocumentEditor(cast("Library", assistant.library), _take_slowly, folder / "uploads")
        settings = PageSettings(max_upload_bytes=2 * MEBIBYTE, answers_at_once=4, queue_size=20)
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
    assert running.join("ก" * 350_000, "long") == 200
    told = json.dumps(list(running.answers("long")), ensure_ascii=False)
    assert "350,000" in told
    assert "20,000" in told
    status, said = running.request("POST", "/gradio_api/queue/join", b"x" * (9 * MEBIBYTE))
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
    with closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=120)) as alive:
        alive.request("GET", "/gradio_api/heartbeat/leaver")  # which a page holds open for as long as it is
        heart = alive.getresponse()
        assert heart.status == 200
        assert running.join("slowly the warning bells", "leaver") == 200
        told = running.answers("leaver")
        generating = (message for message in told if message["msg"] == "process_generating")
        assert len(list(islice(generating, 5))) == 5, "the text has not begun"
        told.close()  # type: ignore[attr-defined]
        heart.close()
    assert running.assistant.closed.wait(900), "the answer went on for nobody"


def test_sessions_that_asked_and_left_are_forgotten(running: Running) -> None:
    def ask(number: int) -> None:
        assert running.join("warning bells", f"once-{number}") == 200
        assert any(message["msg"] == "process_completed" for message in running.answers(f"once-{number}"))

    ask(0)
    before = _held()
    for number in range(1, 41):
        ask(number)
    grown = _grown(before)
    assert grown["SessionState"] <= 24, grown  # so many questions may wait or be worked on here
    assert grown["messages"] <= 2, grown
    assert grown["questions"] <= 2, grown


def test_answers_that_nobody_reads_are_forgotten(running: Running) -> None:
    before = _held()
    for number in range(8):
        assert running.join("warning bells", f"unread-{number}") == 200
    assert _grown(before)["questions"] >= 1, "nothing was there to be forgotten"
    end = time.monotonic() + 120
    while (grown := _grown(before))["questions"] > 0 or grown["messages"] > 0:
        assert time.monotonic() < end, grown
        time.sleep(0.2)
    assert running.join("warning bells", "unread-0") == 200
    told = [message["msg"] for message in running.answers("unread-0")]
    assert "process_completed" in told


@pytest.mark.hard
def test_two_thousand_sessions_cost_no_memory(running: Running) -> None:
    def ask(number: int) -> None:
        while running.join("warning bells", f"many-{number}") == 503:
            time.sleep(0.05)
        assert any(message["msg"] == "process_completed" for message in running.answers(f"many-{number}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(300)))
        before = _memory()
        list(pool.map(ask, range(300, 2300)))
    assert _memory() - before < 16 * MEBIBYTE


@pytest.mark.parametrize("questions", [120, pytest.param(1000, marks=pytest.mark.hard)])
def test_a_flood_of_questions_is_refused_past_the_queue_and_the_server_goes_on(
    running: Running, questions: int
) -> None:
    running.join("warm", "warm")
    list(running.answers("warm"))
    before = _memory()
    running.assistant.released.clear()
    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(lambda number: running.join("held bells", f"f{number}"), range(questions)))
    running.assistant.released.set()
    assert set(statuses) <= {200, 503}
    assert statuses[503] >= questions - 60, statuses
    assert _memory() - before < 80 * MEBIBYTE
    end = time.monotonic() + 120
    while running.join("warning bells", f"after-{time.monotonic()}") != 200:
        assert time.monotonic() < end, "it never took a question again"
        time.sleep(0.5)


def _held() -> Counter[str]:
    """How much of sessions is held in this process, by what it is."""
    gc.collect()
    everything = gc.get_objects()
    queues = [each for each in everything if type(each).__name__ == "Queue" and hasattr(each, "event_analytics")]
    return Counter(
        SessionState=sum(type(each).__name__ == "SessionState" for each in everything),
        messages=sum(len(queue.pending_messages_per_session) for queue in queues),
        questions=sum(len(queue.pending_event_ids_session) for queue in queues),
    )


def _grown(before: Counter[str]) -> dict[str, int]:
    now = _held()
    return {name: now[name] - before[name] for name in now}


def _memory() -> int:
    """Bytes that this process holds in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096
