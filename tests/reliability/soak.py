"""Many chats at once against one server over a large library, for minutes: nothing lost, nothing mixed up, memory flat.

    python -m tests.reliability.soak --passages 100000 --chats 50 --minutes 5

The server is the whole page in a process of its own: real queue, catalog, Chroma and tantivy. Only the embedding model is
replaced by hashed trigrams, 384 numbers each, because the real one would read 100,000 passages for an hour; so the figures
are without the model's own time for a question. Each chat asks for a document of its own and checks that it alone is quoted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.page_asking import page_states

DIMENSIONS = 384
PASSAGES_EACH = 4


@dataclass
class Result:
    """What was seen."""

    passages: int
    chats: int
    seconds: float
    asked: int = 0
    answered: int = 0
    mixed: int = 0
    """Answers that quoted another chat's document, or not their own."""
    failed: list[str] = field(default_factory=list)
    median_ms: float = 0
    p95_ms: float = 0
    first_quote_p95_ms: float = 0
    megabytes: list[int] = field(default_factory=list)
    """Of the server, every few seconds, from the moment when it answered."""

    @property
    def growth(self) -> float:
        """Megabytes that the server grew from the end of the first third to the end, by the medians of each."""
        third = max(1, len(self.megabytes) // 3)
        middle, last = sorted(self.megabytes[third : 2 * third]), sorted(self.megabytes[-third:])
        return float(last[len(last) // 2] - middle[len(middle) // 2]) if middle else 0.0


def build(home: Path, passages: int) -> None:
    """Make the library, or go on with one that was broken off."""
    from store.library import Library
    from tests.store.building import HashingEmbedder, parsed

    def documents() -> Iterator[object]:
        for number in range(passages // PASSAGES_EACH):
            lines = [
                f"{word(number)} village number {number} rang bell {part} of the delta."
                for part in range(PASSAGES_EACH)
            ]
            yield parsed(f"village-{number:06}", *lines, title=f"Village {number}")

    with Library.open(home, embedder=HashingEmbedder("soak", DIMENSIONS)) as library:
        if library.statistics().passages < passages:
            for _ in library.add_many(documents()):  # type: ignore[arg-type]
                pass
            library.rebuild()


def word(number: int) -> str:
    """A word that stands in one document only."""
    letters = "bcdfghjklmnpqrstvwxz"
    made = ""
    for _ in range(5):
        number, rest = divmod(number, len(letters))
        made += letters[rest] + "aeiou"[rest % 5]
    return made


def serve(home: Path) -> None:
    """Serve the page over the library until killed; prints the port."""
    from assistant.answer.pipeline import Assistant
    from assistant.server.app import application
    from assistant.server.serve import bound, server
    from store.catalog.catalog import FILE
    from store.catalog.conversations import Conversations
    from store.library import Library
    from tests.store.building import HashingEmbedder

    with (
        Library.open(home, embedder=HashingEmbedder("soak", DIMENSIONS)) as library,
        closing(Conversations.open(home / FILE)) as conversations,
        closing(bound("127.0.0.1", 0)) as listener,
    ):
        library.prepare()
        app = application(Assistant(library), conversations)
        port = listener.getsockname()[1]
        with suppress(KeyboardInterrupt):  # how it is asked to end
            server(app, lambda: print(port, flush=True)).run(sockets=[listener])


class Chat:
    """One browser tab: asks, listens, and checks what it gets."""

    def __init__(self, number: int, port: int, result: Result, lock: threading.Lock) -> None:
        self._number, self._port = number, port
        self._result, self._lock = result, lock
        self.times: list[float] = []
        self.first: list[float] = []

    def run(self, end: float, documents: int) -> None:
        """Ask about one document of its own after the other."""
        turn = 0
        while time.monotonic() < end:
            wanted = (self._number + turn * self._result.chats) % documents
            turn += 1
            try:
                said = self.ask(
                    f"{word(wanted)} village number {wanted} rang bell 2 of the delta?", f"c{self._number}-{turn}"
                )
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                with self._lock:
                    self._result.asked += 1
                    self._result.failed.append(f"{type(error).__name__}: {error}"[:200])
                continue
            with self._lock:
                self._result.asked += 1
                self._result.answered += bool(said)
                self._result.mixed += f"{word(wanted)} village number {wanted} rang bell 2" not in said

    def ask(self, question: str, ticket: str) -> str:
        """The finished answer's page, and how long it took."""
        started = time.monotonic()
        first = False
        last: dict[str, Any] = {}
        for last in page_states(self._port, question, ticket):
            if not first and "card" in last.get("evidence", ""):
                first = True
                self.first.append(time.monotonic() - started)
        if last.get("ticket") != ticket:
            raise ValueError("an answer without its ticket")
        self.times.append(time.monotonic() - started)
        return str(last.get("article", "")) if last["stage"] == "done" else ""


def soak(home: Path, passages: int, chats: int, seconds: float) -> Result:
    """Build, serve, ask; the result."""
    build(home, passages)
    result = Result(passages, chats, seconds)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.soak", "--serve", str(home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            lock = threading.Lock()
            talks = [Chat(number, port, result, lock) for number in range(chats)]
            end = time.monotonic() + seconds
            threads = [threading.Thread(target=each.run, args=(end, passages // PASSAGES_EACH)) for each in talks]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                result.megabytes.append(_memory(process.pid))
                time.sleep(min(5.0, seconds / 12))
            times = sorted(value for each in talks for value in each.times)
            first = sorted(value for each in talks for value in each.first)
            result.median_ms, result.p95_ms = _share(times, 0.5), _share(times, 0.95)
            result.first_quote_p95_ms = _share(first, 0.95)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
    return result


def _share(values: list[float], share: float) -> float:
    return round(values[min(len(values) - 1, math.ceil(share * len(values)) - 1)] * 1000, 1) if values else math.nan


def _memory(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def main() -> int:
    """Run it and print what was seen; exit code 1 if an answer was lost or mixed up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--chats", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "soak")
    parser.add_argument("--build", action="store_true", help="only make the library")
    parser.add_argument("--serve", type=Path, help="only serve this library")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return 0
    home = arguments.home / str(arguments.passages)
    if arguments.build:
        build(home, arguments.passages)
        return 0
    result = soak(home, arguments.passages, arguments.chats, arguments.minutes * 60)
    print(json.dumps(asdict(result) | {"growth_megabytes": result.growth}, indent=1))
    return 1 if result.mixed or result.failed or result.answered != result.asked else 0


if __name__ == "__main__":
    sys.exit(main())
