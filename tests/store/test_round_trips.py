"""The number of statements to PostgreSQL stays low, because each is a round trip to another machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from store.library import Library
from store.settings import Settings, load_settings
from store.types import Filter, ParsedDocument
from tests.postgresql import PostgresServer
from tests.store.building import HashingEmbedder, add, many, parsed
from tests.store.whole_library import in_postgresql

LANGUAGES = ("en", "th", "vi", "ar", "zh", "de", "fr", "es", "ru", "ja", "ko", "lo", "km", "my")
MOST_FOR_A_QUESTION = 17


@pytest.fixture
def settings(postgresql: PostgresServer, tmp_path: Path) -> Settings:
    return in_postgresql(load_settings(tmp_path), postgresql.new_database(), tmp_path)


@contextmanager
def watched() -> Iterator[list[str]]:
    """The statements that are sent until the block ends."""
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def in_languages(passages: int) -> list[ParsedDocument]:
    """A document in each language, whose every passage has the same two words."""
    return [
        parsed(tag, *(f"Bell tower {tag} {number}." for number in range(passages)), language=tag, speaker="UN")
        for tag in LANGUAGES
    ]


@pytest.mark.parametrize("where", [Filter(), Filter(speakers=("UN",)), Filter(languages=LANGUAGES[:13])])
def test_a_question_asks_as_often_in_many_languages_as_in_one(settings: Settings, where: Filter) -> None:
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, *in_languages(10))
        library.search("bell", 10)
        with watched() as asked:
            hits = library.search("bell tower", 10, where).hits
        assert len(hits) == 10
        assert len(asked) <= MOST_FOR_A_QUESTION, asked


def test_adding_asks_as_often_for_many_documents_as_for_one(settings: Settings) -> None:
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, *many(2, prefix="first"))
        numbers = []
        for count, version in ((1, ""), (40, ""), (40, "again "), (40, "again ")):
            documents = [parsed(f"{count}-{n}", *(f"{version}{n} and {p}." for p in range(4))) for n in range(count)]
            with watched() as asked:
                add(library, *documents)
            numbers.append(len(asked))
        one, forty, replaced, unchanged = numbers
        assert forty <= one + 4
        assert replaced <= 2 * forty
        assert unchanged <= forty + 3 * 40  # compared one by one, and nothing else
        assert library.statistics().documents == 43


def test_a_search_on_a_server_asks_as_often_for_thirty_passages_as_for_one(settings: Settings) -> None:
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        long = "ฟอรัมเปิดขึ้นที่ปักกิ่ง " * 400  # more than a block of text
        add(library, *many(40), parsed("long", long, "Finding the end of a long text.", language="th"))
        library.search("Finding", 1)
        numbers = []
        for k in (1, 30):
            with watched() as asked:
                hits = library.search("Finding", k).hits
            numbers.append(len(asked))
        for hit in hits:
            assert hit.text == library.text(hit.document.id, hit.passage.start, hit.passage.end)
        with library.snapshot() as snapshot:
            (passage, other) = library.passages(library.find_document("long").id)  # type: ignore[union-attr]
            stored = snapshot.stored_passages([passage.id, other.id])
        assert [stored[each.id].text for each in (passage, other)] == [long, "Finding the end of a long text."]
    assert len(hits) == 30
    assert numbers[0] == numbers[1]
