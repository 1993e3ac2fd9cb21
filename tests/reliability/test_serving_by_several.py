"""Several processes answer for one library: replicas behind nginx, workers at one port; any may end, or die, while people ask.

Real processes, PostgreSQL, Chroma and nginx.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.settings import load_settings
from tests.page_asking import page_states
from tests.postgresql import PostgresServer
from tests.servers import chroma_running, free_port
from tests.store.whole_library import in_postgresql

pytestmark = pytest.mark.server

MAIN = "from assistant.cli import main; main()"
QUESTION = "When was the harbour bell cast?"
PATIENCE = 240
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
DEPLOY = Path(__file__).parents[2] / "deploy" / "nginx-replicas.conf"


def attest(home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTEST_")}
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "--home", str(home), *arguments],
        text=True,
        stdout=subprocess.PIPE,
        env=environment | {"PYTHONUNBUFFERED": "1"},
    )


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`attest serve` with its port, until the block ends."""
    with attest(home, "serve", *arguments) as server:
        try:
            assert server.stdout is not None
            said = next(line for line in server.stdout if "The page is at" in line)
            port = re.search(r":(\d+)", said)
            assert port is not None
            yield server, int(port[1])
        finally:
            server.terminate()
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture(scope="module")
def homes(postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Folders of two replicas, with nothing in common but the servers that their settings name."""
    folder = tmp_path_factory.mktemp("replicas")
    with chroma_running(folder / "chroma") as chroma:
        settings = in_postgresql(load_settings(folder), postgresql.new_database(), folder, chroma_url=chroma.url)
        made = [folder / "one", folder / "two"]
        for home in made:
            home.mkdir()
            (home / "attest.toml").write_text(
                f'database_url = "{settings.database_url}"\nchroma_url = "{chroma.url}"\n'
                f'database_password_file = "{settings.database_password_file}"\nrequests_per_minute = 100000\n',
                encoding="utf-8",
            )
        (folder / "harbour.txt").write_text("The harbour bell was cast in 1823 by two brothers.", encoding="utf-8")
        assert attest(made[0], "ingest", str(folder / "harbour.txt")).wait() == 0
        yield made


@contextmanager
def nginx_before(ports: list[int], folder: Path) -> Iterator[int]:
    """nginx with the configuration that is shipped, but its ports, without TLS, and with these replicas."""
    if NGINX is None:
        pytest.skip("nginx isn't installed.")
    port = free_port()
    text = DEPLOY.read_text(encoding="utf-8")
    servers = "".join(f"    server 127.0.0.1:{each} max_fails=0;\n" for each in ports)
    text = re.sub(r"(    server [^;]*;\n)+", servers, text, count=1)
    text = re.sub(r"listen 443 ssl;", f"listen 127.0.0.1:{port};", text)
    text = re.sub(r" *ssl_certificate[^\n]*\n", "", text)
    text = re.sub(r"  server {\n    listen 80;.*?\n  }\n", "", text, flags=re.DOTALL)
    folder.mkdir(exist_ok=True)
    configuration = folder / "nginx.conf"
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {", f"http {{ access_log off; {paths}", 1)
    configuration.write_text(f"daemon off; pid {folder}/pid; error_log {folder}/log;\n{text}", encoding="utf-8")
    command = [NGINX, "-p", str(folder), "-c", str(configuration)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: httpx.get(f"http://127.0.0.1:{port}/api/health/live").is_success)
            yield port
        finally:
            process.terminate()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(httpx.TransportError):
            if holds():
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(port: int, **headers: str) -> dict[str, Any]:
    """An answer's last state, asked as the page does."""
    *_, last = page_states(port, QUESTION, headers=headers)
    return last


class Asking:
    """People who ask, each question once, until the block ends; what they got is counted."""

    def __init__(self, port: int, at_once: int) -> None:
        self._port = port
        self._at_once = at_once
        self._over = threading.Event()
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> Asking:
        self._pool = ThreadPoolExecutor(self._at_once)
        self._asked = [self._pool.submit(self._ask) for _ in range(self._at_once)]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._asked:
            each.result(PATIENCE)
        self._pool.shutdown()

    def more(self, count: int = 6) -> None:
        """Wait until so many more answers have come."""
        wanted = self.outcomes.total() + count
        until(lambda: self.outcomes.total() >= wanted)

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                last = ask(self._port)
                right = last["stage"] == "done" and "1823" in last["article"]
                self.outcomes["right" if right else f"wrong: {last}"] += 1
            except Exception as error:
                self.outcomes[f"lost: {error!r}"] += 1


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
