"""`attest serve` over PostgreSQL survives repeated kills while it answers and adds documents."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from store.doctor import checks as health
from store.library import Library
from store.settings import load_settings
from tests.postgresql import PostgresServer
from tests.store.whole_library import in_postgresql

pytestmark = pytest.mark.server

MAIN = "from assistant.cli import main; main()"
TIMES = 20
QUESTION = "When was the harbour bell cast?"


def attest(home: Path, *arguments: str, **options: int) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTEST_")}
    command = [sys.executable, "-c", MAIN, "--home", str(home), *arguments]
    return subprocess.Popen(command, text=True, env=environment | {"PYTHONUNBUFFERED": "1"}, **options)  # type: ignore[call-overload,no-any-return]


def test_what_was_answered_is_right_and_what_was_told_to_be_added_is_there(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    home, files = tmp_path / "home", tmp_path / "files"
    home.mkdir()
    files.mkdir()
    settings = in_postgresql(load_settings(home), postgresql.new_database(), tmp_path)
    (home / "attest.toml").write_text(
        f'database_url = "{settings.database_url}"\ndatabase_password_file = "{settings.database_password_file}"\n',
        encoding="utf-8",
    )
    (files / "harbour.txt").write_text("The harbour bell was cast in 1823 by two brothers.", encoding="utf-8")
    assert attest(home, "ingest", str(files)).wait() == 0
    chance = random.Random(7)  # noqa: S311 - no secret
    answers: list[str] = []
    for number in range(TIMES):
        for part in range(3):
            text = f"Ferry {number} of line {part} leaves at noon.\n\nเรือเที่ยวที่ {number} ออกตอนเที่ยง"
            (files / f"ferry-{number}-{part}.txt").write_text(text, encoding="utf-8")
        with attest(home, "serve", "--port", "0", stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            said = next(line for line in server.stdout if "The page is at" in line)
            address = next(word.rstrip(".") for word in said.split() if word.startswith("http"))
            asking = threading.Thread(target=_ask_until_it_is_gone, args=(address, answers))
            known = len(answers)
            asking.start()
            while len(answers) == known and asking.is_alive():
                time.sleep(0.05)
            with attest(home, "ingest", str(files), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as ingest:
                time.sleep(chance.random() * 2)
                server.send_signal(signal.SIGKILL)
                server.wait()
                ingest.wait(900)
            asking.join(60)
    assert attest(home, "ingest", str(files)).wait() == 0
    assert len(answers) >= TIMES
    assert all("1823" in answer for answer in answers)
    with Library.open(load_settings(home)) as library:
        assert [document.uri for document in library.documents(limit=1000).documents] == sorted(
            map(str, files.iterdir())
        )
        assert library.statistics().documents == 1 + 3 * TIMES
        assert health.check(library) == []


def _ask_until_it_is_gone(address: str, answers: list[str]) -> None:
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        try:
            while True:
                reply = client.post("/api/ask", json={"question": QUESTION})
                answers.append(reply.text)
        except httpx.TransportError:
            return
