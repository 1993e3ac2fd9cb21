"""What tests of several servers over one library share: real `attest serve`, nginx before them, people who ask."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from store.settings import load_settings
from tests.page_asking import page_states
from tests.servers import free_port
from tests.store.whole_library import in_postgresql

MAIN = "from assistant.cli import main; main()"
QUESTION = "When was the harbour bell cast?"
PATIENCE = 240
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
"""Debian's package `faketime`."""
DEPLOY = Path(__file__).parents[2] / "deploy" / "nginx-replicas.conf"


def attest(home: Path, *arguments: str, clock: str | None = None) -> subprocess.Popen[str]:
    """The command with this home; with `clock`, such as "+2h", its time of day is another."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTEST_")}
    if clock is not None:
        if FAKETIME is None:
            pytest.skip("libfaketime isn't installed.")
        environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": clock, "DONT_FAKE_MONOTONIC": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "--home", str(home), *arguments],
        text=True,
        stdout=subprocess.PIPE,
        env=environment | {"PYTHONUNBUFFERED": "1"},
    )


def replica_homes(folder: Path, database: URL, chroma_url: str) -> list[Path]:
    """Folders of two replicas below `folder`, with nothing in common but the servers that their settings name; the
    library has one document.
    """
    settings = in_postgresql(load_settings(folder), database, folder, chroma_url=chroma_url)
    homes = [folder / "one", folder / "two"]
    for home in homes:
        home.mkdir()
        (home / "attest.toml").write_text(
            f'database_url = "{settings.database_url}"\nchroma_url = "{chroma_url}"\n'
            f'database_password_file = "{settings.database_password_file}"\nrequests_per_minute = 100000\n',
            encoding="utf-8",
        )
    (folder / "harbour.txt").write_text("The harbour bell was cast in 1823 by two brothers.", encoding="utf-8")
    assert attest(homes[0], "ingest", str(folder / "harbour.txt")).wait() == 0
    return homes


@contextmanager
def serving(home: Path, *arguments: str, clock: str | None = None) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`attest serve` with its port, until the block ends."""
    with attest(home, "serve", *arguments, clock=clock) as server:
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


@contextmanager
def nginx_before(ports: list[int], folder: Path) -> Iterator[int]:
    """nginx with the configuration that is shipped, but its ports, without TLS, and with these replicas."""
    if NGINX is None:
        pytest.skip("nginx isn't installed.")
    port = free_port()
    text = DEPLOY.read_text(encoding="utf-8")
    shipped = re.search(r"    server [\d.]+:\d+([^;]*);\n", text)
    assert shipped is not None
    servers = "".join(f"    server 127.0.0.1:{each}{shipped[1]};\n" for each in ports)
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
