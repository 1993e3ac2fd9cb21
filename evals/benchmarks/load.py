"""Fill and query a large library, in files and on servers, with many clients at once.

    python -m evals.benchmarks.load --database-url postgresql://attest@127.0.0.1/empty --chroma-url http://127.0.0.1:8000

Passages are recombined from real sentences with slightly turned vectors (`evals.benchmarks.synthetic`), so no model
runs while a library is filled. Each place gets the same documents and then the same questions, from one thread per
client, divided among the answering processes. Each client asks the next question as soon as it has the last answer. The
measured time is that of the search, with the model's vector of the question, without reading.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import click
import numpy as np

from assistant.server.page_settings import PageSettings
from evals.benchmarks.speed import _questions
from evals.benchmarks.synthetic import Recombiner, embed_sentences, read_texts
from evals.reports.plots import Row, nice_most, standalone, whiskers
from ingest.pipeline import SAMPLES
from store.embedding.weights import load_embedder
from store.library import Library
from store.settings import Settings, load_settings
from store.types import Filter

QUESTIONS = 25
FILTERS = {
    "none": Filter(),
    "one language": Filter(languages=("th",)),
    "one speaker": Filter(speakers=("Speaker 3",)),
    "since 2015": Filter(published_from="2015"),
}


@dataclass(frozen=True, slots=True)
class Times:
    """The times of questions with one filter, in milliseconds."""

    condition: str
    p50: float
    p95: float
    a_second: float
    """Questions answered per second."""
    mixed: int
    """Answers that differ from those to the same question asked alone."""


def fill(settings: Settings, recombiner: Recombiner, passages: int) -> float:
    """Add documents to an empty library; return passages per second, 0 for one that was already filled."""
    began, added = time.perf_counter(), 0
    with Library.open(settings, embedder=recombiner) as library:
        if library.statistics().passages:
            return 0.0
        for result in library.add_many(recombiner.documents(passages)):
            added += result.document.passage_count
            if not added % 10_000:
                click.echo(f"{added:,} passages after {time.perf_counter() - began:.0f} s", err=True)
    return added / (time.perf_counter() - began)


def ask(replicas: ProcessPoolExecutor, count: int, questions: Sequence[str], clients: int, rounds: int) -> list[Times]:
    """Ask with many clients at once, divided among the replicas, once for each filter."""
    measured = []
    for condition, where in FILTERS.items():
        alone = dict(replicas.submit(_ask_alone, questions, where).result())
        asked = list(islice(cycle(questions), rounds))
        began = time.perf_counter()
        parts = [
            replicas.submit(_ask_all, asked[number::count], where, max(1, clients // count)) for number in range(count)
        ]
        answers = [answer for part in parts for answer in part.result()]
        whole = time.perf_counter() - began
        p50, p95 = np.percentile([milliseconds for _, milliseconds, _ in answers], [50, 95])
        mixed = sum(alone[question] != best for question, _, best in answers)
        measured.append(Times(condition, float(p50), float(p95), len(answers) / whole, mixed))
    return measured


_opened: Library | None = None
"""The library of a replica, which is a separate process."""
_answering = ThreadPoolExecutor(PageSettings().answers_at_once)
"""A server works on this many questions at once; the others wait for their turn."""


def _open(settings: Settings, all_are_ready: Barrier) -> None:
    global _opened  # noqa: PLW0603 - how a process of a pool keeps what it has opened
    _opened = Library.open(settings, embedder=load_embedder())
    _opened.prepare()
    all_are_ready.wait()


def _ask_alone(questions: Sequence[str], where: Filter) -> list[tuple[str, str]]:
    return [(question, _best(question, where)[2]) for question in questions]


def _ask_all(questions: Sequence[str], where: Filter, clients: int) -> list[tuple[str, float, str]]:
    with ThreadPoolExecutor(clients) as threads:
        return list(threads.map(lambda question: _best(question, where), questions))


def _best(question: str, where: Filter) -> tuple[str, float, str]:
    assert _opened is not None  # noqa: S101 - opened when the process began
    began = time.perf_counter()
    hits = _answering.submit(_opened.search, question, 10, where).result().hits
    return question, (time.perf_counter() - began) * 1000, hits[0].passage.id if hits else ""


@contextmanager
def replicas_of(settings: Settings, count: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes that answer from one library, and wait until each has opened it."""
    spawned = get_context("spawn")
    barrier = spawned.Barrier(count)
    with ProcessPoolExecutor(count, spawned, _open, (settings, barrier)) as replicas:
        for started in [replicas.submit(os.getpid) for _ in range(count)]:
            started.result()
        yield replicas


def draw(times: Mapping[str, tuple[float, float]]) -> str:
    """Return a plot of median and 95th percentile, in milliseconds, as an SVG file's text."""
    rows = [Row(label, p50, p50, p95, f"{p95 / 1000:.1f} s") for label, (p50, p95) in times.items()]
    most = nice_most(max(p95 for _, p95 in times.values()))
    return standalone(whiskers(rows, title="milliseconds to find passages, median to 95th percentile", most=most))


@click.command()
@click.option("--passages", default=100_000, show_default=True)
@click.option("--clients", default=50, show_default=True)
@click.option("--questions", "rounds", default=250, show_default=True, help="Asked in all for each filter.")
@click.option("--replicas", default="1,2,4", show_default=True, help="Processes that answer from servers, by turns.")
@click.option("--place", "chosen", type=click.Choice(["files", "servers", "both"]), default="both", show_default=True)
@click.option("--database-url", help="An empty PostgreSQL database; without it, only files are measured.")
@click.option("--password-file", type=click.Path(path_type=Path))
@click.option("--chroma-url")
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for what is filled, to be asked again later.")
@click.option("--data", type=click.Path(path_type=Path), help="A folder of texts beside the samples.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the times in this SVG file.")
def main(
    passages: int,
    clients: int,
    rounds: int,
    replicas: str,
    chosen: str,
    database_url: str | None,
    password_file: Path | None,
    chroma_url: str | None,
    keep: Path | None,
    data: Path | None,
    plot: Path | None,
) -> None:
    """Measure and print two tables."""
    measured: dict[str, Times] = {}
    embedder = load_embedder()
    sentences = embed_sentences(read_texts(data, SAMPLES), embedder)
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        places = {"files": load_settings(folder / "files")}
        if database_url is not None:
            places["servers"] = load_settings(
                folder / "servers",
                database_url=database_url,
                database_password_file=password_file,
                chroma_url=chroma_url,
            )
        places = {place: settings for place, settings in places.items() if chosen in (place, "both")}
        click.echo(f"{passages:,} passages, {clients} clients, {os.cpu_count()} cores\n")
        click.echo("| place | passages a second, filling | load |\n| --- | ---: | ---: |")
        for place, settings in places.items():
            rate = fill(settings, Recombiner(sentences, embedder), passages)
            click.echo(f"| {place} | {rate:,.0f} | {os.getloadavg()[0]:.1f} |")
        click.echo("\n| place | processes | filter | p50, ms | p95, ms | questions a second | mixed up | load |")
        click.echo("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
        for place, settings in places.items():
            for count in [1] if place == "files" else map(int, replicas.split(",")):
                with replicas_of(settings, count) as processes:
                    for each in ask(processes, count, _questions(data)[:QUESTIONS], clients, rounds):
                        measured[f"{place}, {count}, {each.condition}"] = each
                        click.echo(
                            f"| {place} | {count} | {each.condition} | {each.p50:,.0f} | {each.p95:,.0f} "
                            f"| {each.a_second:.1f} | {each.mixed} | {os.getloadavg()[0]:.1f} |"
                        )
    if plot is not None:
        plot.write_text(draw({label: (each.p50, each.p95) for label, each in measured.items()}), encoding="utf-8")


if __name__ == "__main__":
    main()
