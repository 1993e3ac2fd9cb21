"""Ask small libraries and read the results, as data for learning order, confidence and limits.

There are libraries of several typical kinds: one language, three languages with each text in one of them, long native
articles, and a few short documents (rules, codes, tables, sessions) in three languages. For the parallel set, questions
are only about articles that the reader's training held out, and part of each article is left out of the library.
Questions about those parts are close to the library's subject and have no answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from assistant.answer.retrieval import headings_above
from assistant.extractive_qa.candidates import PASSAGES, ReadPassages, read_passages
from assistant.extractive_qa.decisions import Ranking
from assistant.extractive_qa.span_reader import Reader
from evals.benchmarks.questions import Asked, Paragraph, fill, read_thai_qa, read_xquad, rotated
from ingest.pipeline import ingest_paths
from store.embedding.embedder import Embedder
from store.library import Library
from store.types import SearchResult

LIBRARIES = Path(__file__).parent / "libraries"
KINDS = ("short", "prose")
"""Its folders: rules, codes and tables; and texts of some paragraphs, with yes-or-no questions as well, which are not
used for fitting, but for figures."""
NEUTRAL = Ranking(8.0, 1.0, 0.0)
"""A provisional reading order; it only decides what is read."""


@dataclass(frozen=True, slots=True)
class Item:
    """A question, and the answering words if the library has them."""

    language: str
    question: str
    answers: tuple[str, ...]
    uri: str | None = None
    """The document with the answer, if only one has it."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A question with the content of a library of the kind `setting` about it."""

    setting: str
    group: int
    """Shared by questions about the same text: models are judged on groups that they weren't fitted to."""
    item: Item
    found: SearchResult
    read: ReadPassages


def observe(data: Path, embedder: Embedder, reader: Reader | None, step: int = 1) -> Iterator[Observation]:
    """Yield all observations, or with `step` n those of each n-th question."""
    parallel = read_xquad(data / "xquad-dev")
    for language, collection in parallel.items():
        items = _items(collection.questions[::step], collection.paragraphs)
        yield from _ask(f"within {language}", collection.paragraphs, items, embedder, reader)
    for rotation in (0, 1):
        paragraphs = rotated(parallel, rotation)
        spoken = {paragraph.number: paragraph.language for paragraph in paragraphs}
        answers = {(tag, each.id): each.answers for tag, some in parallel.items() for each in some.questions}
        asked = [
            Asked(each.id, each.text, each.language, each.paragraph, answers[spoken[each.paragraph], each.id])
            for some in parallel.values()
            for each in some.questions[rotation :: 2 * step]
        ]
        yield from _ask("mixed", paragraphs, _items(asked, paragraphs), embedder, reader)
    thai = read_thai_qa(data / "thai-qa" / "valid.jsonl")
    yield from _ask(
        "native th", thai.paragraphs, _items(thai.questions[:: 4 * step], thai.paragraphs, every=3), embedder, reader
    )
    yield from _ask_folder("short documents", LIBRARIES / "short", embedder, reader)


def read_items(path: Path) -> list[Item]:
    """Return the items of a YAML file of ``{language, question, answers}``."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Item(row["language"], row["question"], tuple(row["answers"])) for row in rows]


def _items(questions: Iterable[Asked], paragraphs: Sequence[Paragraph], every: int = 5) -> list[tuple[Item, int]]:
    """Return the items on articles that training held out; those on paragraphs left out of the library lack answers."""
    by_number = {paragraph.number: paragraph for paragraph in paragraphs}
    items = []
    for each in questions:
        paragraph = by_number[each.paragraph]
        if every == 5 and not _held_out(paragraph):
            continue
        answers = () if _left_out(paragraph, every) else each.answers
        items.append((Item(each.language, each.text, answers, paragraph.uri), paragraph.article))
    return items


def _held_out(paragraph: Paragraph) -> bool:
    return paragraph.article % 4 == 3


def _left_out(paragraph: Paragraph, every: int) -> bool:
    """Return two of five paragraphs of each held-out article; for native texts, every third one."""
    return _held_out(paragraph) and paragraph.number % 5 >= 3 if every == 5 else paragraph.number % 3 == 2


def _ask(
    setting: str,
    paragraphs: Sequence[Paragraph],
    items: Sequence[tuple[Item, int]],
    embedder: Embedder,
    reader: Reader | None,
) -> Iterator[Observation]:
    every = 3 if setting.startswith("native") else 5
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder), embedder=embedder) as library:
        fill(library, [paragraph for paragraph in paragraphs if not _left_out(paragraph, every)])
        for item, article in items:
            yield observe_one(library, reader, setting, article, item)


def _ask_folder(setting: str, folder: Path, embedder: Embedder, reader: Reader | None) -> Iterator[Observation]:
    with tempfile.TemporaryDirectory() as home, Library.open(Path(home), embedder=embedder) as library:
        ingest_paths(library, [path for path in sorted(folder.iterdir()) if path.suffix in {".md", ".txt"}])
        for number, item in enumerate(read_items(folder / "questions.yaml"), start=1000):
            yield observe_one(library, reader, setting, number, item)


def observe_one(library: Library, reader: Reader | None, setting: str, group: int, item: Item) -> Observation:
    """Return the content of `library` about one question."""
    found = library.search(item.question, PASSAGES)
    above = headings_above(library, found.hits)
    return Observation(setting, group, item, found, read_passages(item.question, found, above, reader, NEUTRAL))
