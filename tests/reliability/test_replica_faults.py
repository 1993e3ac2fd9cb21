"""Replicas behind nginx while something breaks: one is killed in mid-answer, clocks differ, the engines are restarted.

Real processes, PostgreSQL, Chroma and nginx.
"""

from __future__ import annotations

import http.client
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.page_asking import page_states
from tests.postgresql import PostgresServer
from tests.reliability.endpoints import Endpoint
from tests.reliability.serving import PATIENCE, QUESTION, Asking, ask, nginx_before, replica_homes, serving, until
from tests.servers import ChromaProcess, chroma_running, free_port

pytestmark = pytest.mark.server
VISITOR = {"Cookie": "attest_owner=" + "b" * 43}
OTHER_VISITOR = {"Cookie": "attest_owner=" + "c" * 43}


def kept_turns(port: int, conversation: str) -> list[dict[str, Any]]:
    reply = httpx.get(f"http://127.0.0.1:{port}/api/conversations/{conversation}", headers=VISITOR, timeout=PATIENCE)
    turns: list[dict[str, Any]] = reply.json()["turns"]
    return turns


def test_a_replica_that_is_killed_in_mid_answer_leaves_an_end_that_is_seen(
    homes: list[Path], endpoint: Endpoint, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    settings = (homes[0] / "attest.toml").read_text(encoding="utf-8")
    (slow / "attest.toml").write_text(f'{settings}base_url = "{endpoint.url}"\nmodel = "pauses"\n', encoding="utf-8")
    with ExitStack() as stack:
        victim, own = stack.enter_context(serving(slow, "--port", "0"))
        other = free_port()
        port = stack.enter_context(nginx_before([own, other], tmp_path / "nginx"))
        states = page_states(port, QUESTION, headers=VISITOR)
        seen = next(state for state in states if endpoint.sent)  # the model has begun to write
        assert seen["stage"] not in {"done", "failed"}
        victim.kill()
        rest: list[dict[str, Any]] = []
        with suppress(http.client.HTTPException, OSError):  # a stream that is cut
            rest += states
        assert all(state["stage"] not in {"done", "failed"} for state in rest)  # no end is made up
        stack.enter_context(serving(homes[1], "--port", str(other)))
        (kept,) = kept_turns(port, seen["conversation"])
        assert (kept["question"], kept["state"], kept["answer"]) == (QUESTION, "asked", None)
        page = httpx.get(
            f"http://127.0.0.1:{port}/attest/conversations/{seen['conversation']}", headers=VISITOR, timeout=PATIENCE
        )
        assert "interrupted before it was finished" in page.text
        *_, last = page_states(port, QUESTION, headers=VISITOR, conversation=seen["conversation"], parent=seen["turn"])
        assert last["stage"] == "done"
        assert "1823" in last["article"]
        assert [turn["state"] for turn in kept_turns(port, seen["conversation"])] == ["asked", "finished"]


def test_conversations_are_in_the_order_of_asking_though_the_clocks_of_replicas_differ(homes: list[Path]) -> None:
    with ExitStack() as stack:
        ports = [
            stack.enter_context(serving(home, "--port", "0", clock=clock))[1]
            for home, clock in zip(homes, ("-2h", "+2h"), strict=True)
        ]
        dates = [
            parsedate_to_datetime(httpx.get(f"http://127.0.0.1:{port}/api/health/live").headers["date"])
            for port in ports
        ]
        assert dates[1] - dates[0] > timedelta(hours=3)
        asked = [ask(ports[number % 2], **OTHER_VISITOR)["conversation"] for number in range(4)]
        for port in ports:
            reply = httpx.get(f"http://127.0.0.1:{port}/api/conversations", headers=OTHER_VISITOR, timeout=PATIENCE)
            assert [each["id"] for each in reply.json()["conversations"]] == asked[::-1]


def is_right(port: int) -> bool:
    return "1823" in ask(port).get("article", "")


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[PostgresServer, ChromaProcess]]:
    """A PostgreSQL and a Chroma server of this test's own, to be stopped."""
    server = PostgresServer.make()
    try:
        with chroma_running(tmp_path / "chroma") as chroma:
            yield server, chroma
    finally:
        server.remove()


def test_replicas_go_on_by_themselves_when_the_engines_were_restarted(
    engines: tuple[PostgresServer, ChromaProcess], tmp_path: Path
) -> None:
    database, chroma = engines
    homes = replica_homes(tmp_path, database.new_database(), chroma.url)
    with ExitStack() as stack:
        ports = [stack.enter_context(serving(home, "--port", "0"))[1] for home in homes]
        port = stack.enter_context(nginx_before(ports, tmp_path / "nginx"))

        def restart_database(how: signal.Signals) -> None:
            database.stop(how=how)
            threading.Event().wait(0.5)
            database.start()

        def restart_chroma() -> None:
            chroma.kill()
            threading.Event().wait(0.5)
            chroma.start()

        restarts: list[Callable[[], None]] = [
            partial(restart_database, signal.SIGINT),
            partial(restart_database, signal.SIGQUIT),
            restart_chroma,
        ]
        for restart in restarts:
            with Asking(port, 4) as asking:
                asking.more()
                restart()
                asking.more()
            told = [each for each in asking.outcomes if each != "right"]
            assert all("t be reached" in each or "t answer" in each for each in told), (
                told
            )  # in a sentence, nothing else
            for each in ports:
                until(partial(is_right, each))
        with Asking(port, 4) as asking:
            asking.more()
        assert set(asking.outcomes) == {"right"}, asking.outcomes
