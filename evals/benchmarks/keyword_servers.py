"""Compare keywords in a library's home and in PostgreSQL: whether both rank alike, and what each costs.

    python -m evals.benchmarks.keyword_servers --database postgresql://attest@host/empty [--passages N]

It first uses the paragraphs of `evals.benchmarks.retrieval` in all languages and its questions: the sixty best in each
place, with and without a filter, must be the same except for rounding. Then it adds as many passages as requested,
recombined from the sentences of those paragraphs, and measures rows per second, a question's time and bytes on disk.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import click
import numpy as np
import sqlalchemy as sa

from evals.benchmarks.figures import machine
from evals.benchmarks.questions import Parallel, parse, read_xquad
from store.catalog.engine import Database
from store.catalog.schema import migrate
from store.embedding.weights import load_embedder
from store.index.embedded_keywords import EmbeddedKeywordIndex
from store.index.keyword_index import KeywordEntry, KeywordIndex
from store.index.postgresql_keywords import ServerKeywordIndex, begin_generation
from store.types import Filter

BEST = 60
ROUNDING = 1e-5
"""How much two scores may differ, as a share: both places compute in 32 bits."""
PORTION = 256
SENTENCES = (2, 6)
FILTERS = {"": Filter(), ", in one language": Filter(languages=("th",))}


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost in one place."""

    place: str
    rows_per_second: float
    times: dict[str, tuple[float, float]]
    """p50 and p95 of a question with each filter, in milliseconds."""
    disk: float
    """Bytes per row."""


def paragraphs(parallel: dict[str, Parallel]) -> list[KeywordEntry]:
    """Return all passages of all languages."""
    embedder = load_embedder()
    parsed = [parse(each, embedder) for of in parallel.values() for each in of.paragraphs]
    return [
        KeywordEntry(f"{each.document.uri}-{number}", each.document.id, passage.language, None, None, text)
        for each in parsed
        for number, passage in enumerate(each.passages)
        for text in (each.text[passage.start : passage.end],)
    ]


def recombined(entries: Sequence[KeywordEntry]) -> Iterator[KeywordEntry]:
    """Yield passages endlessly, each of a few sentences from passages of one language."""
    chance = random.Random(1)  # noqa: S311 - no secret
    sentences: dict[str, list[str]] = {}
    for each in entries:
        sentences.setdefault(each.language, []).extend(filter(None, each.text.replace(". ", ".\n").splitlines()))
    number = 0
    while True:
        language = chance.choice(sorted(sentences))
        text = " ".join(chance.choice(sentences[language]) for _ in range(chance.randint(*SENTENCES)))
        yield KeywordEntry(f"p{number}", f"d{number // 20}", language, None, None, text)
        number += 1


def differences(
    one: KeywordIndex, other: KeywordIndex, questions: Sequence[str], where: Filter
) -> tuple[int, int, float]:
    """Return for how many questions the passages differ, for how many their order, and the largest gap of scores.

    Passages whose scores round to the same value count as one position in the order.
    """
    passages = order = 0
    gap = 0.0
    for question in questions:
        pair = [index.search(question, BEST + 20, where) for index in (one, other)]
        scores = [dict(found) for found in pair]
        shown = [found[:BEST] for found in pair]
        for name, score in shown[0]:
            gap = max(gap, abs(scores[1].get(name, 0.0) - score) / score)
        passages += any(name not in scores[1] for name, _ in shown[0])
        held = [scores[1].get(name, 0.0) for name, _ in shown[0]]
        order += any(after > before * (1 + ROUNDING) for before, after in pairwise(held))
    return passages, order, gap


def fill(index: KeywordIndex, entries: Iterator[KeywordEntry]) -> float:
    """Add passages like an ingest; return the seconds it took."""
    began = time.perf_counter()
    while portion := list(islice(entries, PORTION)):
        index.add(portion)
        index.commit()
    return time.perf_counter() - began


def times(index: KeywordIndex, questions: Sequence[str], where: Filter) -> tuple[float, float]:
    """Return p50 and p95 of finding the best, in milliseconds."""
    taken = []
    for question in questions:
        began = time.perf_counter()
        index.search(question, BEST, where)
        taken.append((time.perf_counter() - began) * 1000)
    p50, p95 = np.percentile(taken, [50, 95])
    return float(p50), float(p95)


def _bytes(database: Database) -> int:
    with database.reading() as connection:
        sizes = sa.text(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE 'keyword%' AND relkind = 'r'"
        )
        return int(connection.execute(sizes).scalar_one())


@click.command()
@click.option("--database", required=True, help="An empty PostgreSQL database; it is filled.")
@click.option("--data", type=click.Path(exists=True, path_type=Path), default=Path("../shared/data"), show_default=True)
@click.option("--passages", default=100_000, show_default=True)
@click.option("--compared", type=click.IntRange(min=1), help="About so many of the questions; all unless given.")
@click.option("--questions", default=200, show_default=True, help="How many are timed.")
def main(database: str, data: Path, passages: int, compared: int | None, questions: int) -> None:
    """Compare, measure and print."""
    parallel = read_xquad(data / "xquad-dev")
    entries = paragraphs(parallel)
    asked = [question.text for of in parallel.values() for question in of.questions]
    asked = asked[:: max(1, len(asked) // (compared or len(asked)))]
    where = sa.make_url(database).set(drivername="postgresql+psycopg")
    migrate(where)
    tokenize = load_embedder().tokenize
    costs = []
    with closing(Database.connect(where)) as server, tempfile.TemporaryDirectory() as name:
        one, other = EmbeddedKeywordIndex.open(Path(name) / "1", tokenize), ServerKeywordIndex.open(server, 1, tokenize)
        for index in (one, other):
            fill(index, iter(entries))
        click.echo(f"{len(entries):,} passages, {len(asked):,} questions; of the best {BEST}:")
        for told, condition in FILTERS.items():
            differing, reordered, gap = differences(one, other, asked, condition)
            click.echo(f"- without the same passages{told}: {differing}; in another order: {reordered}; gap {gap:.1e}")
        one.close()
        some = asked[:: max(1, len(asked) // questions)]
        begin_generation(server, 2)
        before = _bytes(server)
        one, other = EmbeddedKeywordIndex.open(Path(name) / "2", tokenize), ServerKeywordIndex.open(server, 2, tokenize)
        for place, index in (("home, tantivy", one), ("PostgreSQL", other)):
            seconds = fill(index, islice(recombined(entries), passages))
            taken = {told: times(index, some, condition) for told, condition in FILTERS.items()}
            own = sum(path.stat().st_size for path in (Path(name) / "2").rglob("*"))
            disk = own if index is one else _bytes(server) - before
            costs.append(Cost(place, passages / seconds, taken, disk / passages))
        one.close()
    click.echo(f"\n{passages:,} passages; {machine()}\n")
    click.echo("| place | rows a second | p50, ms | p95, ms | one language: p50, ms | p95, ms | bytes on disk a row |")
    click.echo("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for cost in costs:
        shown = " | ".join(f"{value:.1f}" for pair in cost.times.values() for value in pair)
        click.echo(f"| {cost.place} | {cost.rows_per_second:,.0f} | {shown} | {cost.disk:,.0f} |")


if __name__ == "__main__":
    main()
