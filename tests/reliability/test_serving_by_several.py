"""Several processes answer for one library (replicas behind nginx, workers on one port); any may end or die meanwhile.

It uses real processes, PostgreSQL, Chroma and nginx.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.page_asking import page_states
from tests.reliability.serving import PATIENCE, QUESTION, Asking, ask, nginx_before, serving, until

pytestmark = pytest.mark.server


def test_a_rolling_restart_behind_nginx_loses_no_answer(homes: list[Path], tmp_path: Path) -> None:
    with ExitStack() as stack:
        replicas = [stack.enter_context(serving(home, "--port", "0")) for home in homes]
        ports = [port for _, port in replicas]
        port = stack.enter_context(nginx_before(ports, tmp_path / "nginx"))
        with Asking(port, 4) as asking:
            asking.more()
            for (server, own), home in zip(replicas, homes, strict=True):
                server.send_signal(signal.SIGTERM)
                assert server.wait(PATIENCE) in (0, -signal.SIGTERM)
                asking.more()
                stack.enter_context(serving(home, "--port", str(own)))
                asking.more()
        assert set(asking.outcomes) == {"right"}, asking.outcomes


def test_without_sticky_sessions_one_replica_goes_on_where_the_other_began(homes: list[Path], tmp_path: Path) -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(serving(home, "--port", "0"))[1] for home in homes]
        port = stack.enter_context(nginx_before(ports, tmp_path / "nginx"))
        cookie = {"Cookie": "attest_owner=" + "a" * 43}
        turns: list[str] = []
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=cookie, timeout=PATIENCE) as client:
            conversation = None
            for _ in range(4):
                *_, last = page_states(
                    port, QUESTION, headers=cookie, conversation=conversation, parent=turns[-1] if turns else None
                )
                assert last["stage"] == "done"
                conversation = last["conversation"]
                turns.append(last["turn"])
            for each in ports:
                own = httpx.get(
                    f"http://127.0.0.1:{each}/api/conversations/{conversation}", headers=cookie, timeout=PATIENCE
                )
                assert [turn["id"] for turn in own.json()["turns"]] == turns
            page = client.get("/")
            assert page.is_success
            for name in re.findall(r'(?:src|href)="(\./assets/[^"]+)"', page.text):
                assert client.get(f"/{name}").is_success


def test_workers_share_a_port_and_one_that_dies_is_replaced(homes: list[Path]) -> None:
    with serving(homes[0], "--port", "0", "--workers", "2") as (supervisor, port):

        def workers() -> set[int]:
            found = subprocess.run(["pgrep", "-P", str(supervisor.pid)], capture_output=True, text=True, check=False)
            return {int(pid) for pid in found.stdout.split()}

        until(lambda: len(workers()) == 2)
        before = workers()
        with Asking(port, 4) as asking:
            asking.more()
            supervisor.send_signal(signal.SIGHUP)
            until(lambda: len(workers()) == 2 and not workers() & before)
            asking.more()
        assert set(asking.outcomes) == {"right"}, asking.outcomes
        victim = min(workers())
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(workers()) == 2 and victim not in workers())
        assert "1823" in ask(port)["article"]
        with Asking(port, 4) as asking:
            asking.more()
            supervisor.terminate()
            assert supervisor.wait(PATIENCE) == 0
        assert asking.outcomes["right"] >= 6
    assert workers() == set()


def test_workers_end_with_a_supervisor_that_is_killed(homes: list[Path]) -> None:
    with serving(homes[0], "--port", "0", "--workers", "1") as (_, port):
        assert "1823" in ask(port)["article"]
    with serving(homes[0], "--port", "0", "--workers", "2") as (supervisor, port):
        supervisor.kill()
        supervisor.wait()

        def is_refused() -> bool:
            try:
                httpx.get(f"http://127.0.0.1:{port}/api/health/live", timeout=PATIENCE)
            except httpx.ConnectError:
                return True
            return False

        until(is_refused)


def test_what_is_added_at_one_is_answered_by_the_other_at_once(homes: list[Path]) -> None:
    with ExitStack() as stack:
        here, there = [stack.enter_context(serving(home, "--port", "0"))[1] for home in homes]
        for number in range(3):
            file = {"file": (f"ferry-{number}.txt", f"Ferry {number} is named Morning Star {number}.".encode())}
            kept = httpx.post(f"http://127.0.0.1:{here}/api/documents", files=file, timeout=PATIENCE).json()
            states: list[str] = []

            def is_done(kept: dict[str, Any] = kept, states: list[str] = states) -> bool:
                reply = httpx.get(f"http://127.0.0.1:{there}/api/uploads/{kept['id']}", timeout=PATIENCE)
                states.append(reply.json()["state"])
                return states[-1] == "added"

            until(is_done)
            found = httpx.get(
                f"http://127.0.0.1:{there}/api/search", params={"q": f"How is ferry {number} named?"}, timeout=PATIENCE
            ).json()
            assert f"Morning Star {number}" in found["hits"][0]["text"]
            document = found["hits"][0]["document"]["id"]
            removed = httpx.delete(f"http://127.0.0.1:{there}/api/documents/{document}", timeout=PATIENCE)
            assert removed.is_success
            assert httpx.get(f"http://127.0.0.1:{here}/api/documents/{document}", timeout=PATIENCE).status_code == 404
            back = httpx.post(f"http://127.0.0.1:{here}/api/documents/{document}/restore", timeout=PATIENCE)
            assert back.is_success, back.text
