"""Compare vectors in the process and on a Chroma server: disk, memory, rows per second, and a search.

    python -m evals.benchmarks.vector_servers --passages 10000

Vectors are random, of the model's size, in clusters like those of a real library: no model runs, and texts don't
matter. Both places get the same rows and the same questions, one after the other.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
import numpy as np
from numpy.typing import NDArray

from store.index.chroma_server import ChromaServer, ServerAddress
from store.index.vector_index import EmbeddedVectorIndex, Entry, VectorIndex
from store.types import Filter

CLUSTERS = 500
SPREAD = 0.5
NEIGHBORS = 50
QUESTIONS = 200
PORTION = 1_000


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost in one place."""

    place: str
    rows_per_second: float
    p50: float
    """Of one search, in milliseconds."""
    p95: float
    filtered_p50: float
    disk: int
    """Bytes."""
    memory: int
    """Bytes of the process that holds the vectors."""


def vectors(count: int, dimensions: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield portions ``(n, dimensions)`` of unit vectors around the same centers, `count` of them in total."""
    centers = np.random.default_rng(0).normal(size=(CLUSTERS, dimensions))
    generator = np.random.default_rng(seed)
    for start in range(0, count, PORTION):
        size = min(PORTION, count - start)
        made = centers[generator.integers(CLUSTERS, size=size)] + SPREAD * generator.normal(size=(size, dimensions))
        yield (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def measure(place: str, index: VectorIndex, count: int, dimensions: int, folder: Path, pid: int) -> Cost:
    """Fill an index and ask it."""
    began, number = time.perf_counter(), 0
    for portion in vectors(count, dimensions, 1):
        index.add(
            Entry(f"p{number + place}", f"d{(number + place) // 20}", ("en", "th", "vi")[place % 3], vector)
            for place, vector in enumerate(portion)
        )
        number += len(portion)
    filled = time.perf_counter() - began
    (questions,) = vectors(QUESTIONS, dimensions, 2)
    index.nearest(questions[0], NEIGHBORS)
    plain = _times(lambda vector: index.nearest(vector, NEIGHBORS), questions)
    filtered = _times(lambda vector: index.nearest(vector, NEIGHBORS, Filter(languages=("th",))), questions[:50])
    p50, p95 = np.percentile(plain, [50, 95])
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Cost(place, count / filled, float(p50), float(p95), float(np.median(filtered)), disk, _memory(pid))


def _times(ask: Callable[[NDArray[np.float32]], object], questions: NDArray[np.float32]) -> list[float]:
    taken = []
    for question in questions:
        began = time.perf_counter()
        ask(question)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, int]]:
    """Run Chroma over `folder`; yield its address and its process."""
    program = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "run", "--host", "127.0.0.1", "--port", str(port), "--path", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - its own
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{url}/api/v2/heartbeat").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


@click.command()
@click.option("--passages", default=10_000, show_default=True)
@click.option("--dimensions", default=384, show_default=True)
def main(passages: int, dimensions: int) -> None:
    """Measure and print a table."""
    costs = []
    before = _memory(os.getpid())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "embedded"
        folder.mkdir()
        with closing(EmbeddedVectorIndex.open(folder)) as index:
            costs.append(measure("in the process", index, passages, dimensions, folder, os.getpid()))
        folder = Path(name) / "server"
        with server(folder) as (url, pid):
            there = ChromaServer(ServerAddress(url))
            costs.append(measure("on a server", there.open("benchmark"), passages, dimensions, folder, pid))
            there.close()
    click.echo(
        f"{passages:,} random vectors of {dimensions} numbers, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    click.echo(
        "| place | rows a second | search p50, ms | p95, ms | with a filter p50, ms | bytes on disk a row | MB |"
    )
    click.echo("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for cost in costs:
        used = cost.memory - (before if cost.place == "in the process" else 0)
        click.echo(
            f"| {cost.place} | {cost.rows_per_second:,.0f} | {cost.p50:.1f} | {cost.p95:.1f} | {cost.filtered_p50:.1f} "
            f"| {cost.disk / passages:,.0f} | {used / 1e6:,.0f} |"
        )


if __name__ == "__main__":
    main()
