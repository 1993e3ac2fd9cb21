"""Keep the keyword index in a library's home, stored by tantivy: memory-mapped, so it opens without being read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.errors import IndexDamagedError
from store.index.keyword_index import NO_DATE, KeywordEntry, KeywordIndex, KeywordQuery, rarest_terms
from store.text.date_ranges import day_range
from store.text.spellings import SPELLED, spelling_terms
from store.types import Filter

if TYPE_CHECKING:
    import tantivy

WRITER_BYTES = 64 * 1024 * 1024


class EmbeddedKeywordIndex(KeywordIndex):
    """The keyword index in one folder: many readers, one writer. Safe to use from several threads."""

    def __init__(self, index: tantivy.Index, tokenize: Callable[[str], list[str]], *, read_only: bool = False) -> None:
        super().__init__(tokenize)
        self._index = index
        self._read_only = read_only
        self._writer: Any = None
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls, folder: Path, tokenize: Callable[[str], list[str]], *, read_only: bool = False
    ) -> EmbeddedKeywordIndex:
        """Open the index in `folder`; create an empty one unless `read_only`.

        Raises IndexDamagedError for a missing or unreadable index.
        """
        import tantivy

        try:
            if tantivy.Index.exists(str(folder)) if folder.is_dir() else False:
                return cls(tantivy.Index.open(str(folder)), tokenize, read_only=read_only)
            if read_only:
                raise IndexDamagedError("The library has no keyword index: run `attest rebuild`.")
            folder.mkdir(parents=True, exist_ok=True)
            return cls(tantivy.Index(_schema(), str(folder)), tokenize)
        except (ValueError, OSError) as error:
            raise IndexDamagedError(f"The keyword index can't be read ({error}): run `attest rebuild`.") from error

    def add(self, entries: Iterable[KeywordEntry]) -> None:
        """Add passages; searches find them after `commit`."""
        import tantivy

        with self._lock:
            writer = self._open_writer()
            for entry in entries:
                document = tantivy.Document()
                document.add_text("passage_id", entry.passage_id)
                document.add_text("document_id", entry.document_id)
                document.add_text("language", entry.language)
                document.add_text("speaker", entry.speaker or "")
                document.add_text("collection", _collection_term(entry.collection))
                first, last = day_range(entry.published) if entry.published else (NO_DATE, NO_DATE)
                document.add_integer("first_day", first)
                document.add_integer("last_day", last)
                document.add_text("terms", " ".join(self.terms(entry.text)))
                document.add_text("spellings", " ".join(spelling_terms(entry.text, entry.language)))
                writer.add_document(document)

    def remove_passages(self, passage_ids: Iterable[str]) -> None:
        """Remove passages; searches stop finding them after `commit`."""
        with self._lock:
            writer = self._open_writer()
            for passage_id in passage_ids:
                writer.delete_documents_by_term("passage_id", passage_id)

    def commit(self) -> None:
        """Make additions and removals durable and visible to searches."""
        with self._lock:
            if self._writer is not None:
                self._writer.commit()
            self._index.reload()

    def close(self) -> None:
        """Release the writer's lock; uncommitted changes are lost."""
        with self._lock:
            if self._writer is not None:
                self._writer.wait_merging_threads()
                self._writer = None

    def parse(self, query: str) -> KeywordQuery:
        """Return the terms of `query` with their weights; only the rarest `MAX_QUERY_TERMS` of a very long one."""
        searcher = self._searcher()
        count = searcher.num_docs
        # tantivy counts removed passages until a merge
        found = {term: min(searcher.doc_freq("terms", term), count) for term in dict.fromkeys(self.terms(query))}
        return KeywordQuery(rarest_terms(count, found))

    def search(
        self,
        query: str | KeywordQuery,
        k: int,
        where: Filter | None = None,
        among: Sequence[str] | None = None,
    ) -> list[tuple[str, float]]:
        """Return the `k` best passages as (passage id, BM25 score), best first; only those that share a term.

        `among` limits the search to passages with these ids.
        """
        parsed = self.parse(query) if isinstance(query, str) else query
        if not parsed.weights or k < 1:
            return []
        import tantivy

        schema = self._index.schema
        should, must = tantivy.Occur.Should, tantivy.Occur.Must
        found = tantivy.Query.boolean_query(
            [(should, tantivy.Query.term_query(schema, "terms", term, "freq")) for term in parsed.weights]
        )
        conditions = _conditions(schema, where or Filter())
        if among is not None:
            only = tantivy.Query.term_set_query(schema, "passage_id", list(among))
            conditions.append(tantivy.Query.const_score_query(only, 0.0))
        if conditions:
            found = tantivy.Query.boolean_query([(must, found), *((must, condition) for condition in conditions)])
        searcher = self._searcher()
        hits = searcher.search(found, limit=k, count=False).hits
        return [(_passage_id(searcher, address), float(score)) for score, address in hits]

    def spellings(self, words: Iterable[str], where: Filter | None = None) -> dict[str, dict[str, int]]:
        """Return the spellings of each bare word, with the number of passages for each.

        Words are in the form of `store.text.spellings.bare`. With a filter, only matching passages count.
        """
        import tantivy

        searcher, schema = self._searcher(), self._index.schema
        must = tantivy.Occur.Must
        conditions = [(must, condition) for condition in _conditions(schema, where or Filter())]
        found: dict[str, dict[str, int]] = {}
        for word in dict.fromkeys(words):
            terms = searcher.terms_with_prefix("spellings", f"{word}{SPELLED}")
            if conditions:
                queries = [(term, tantivy.Query.term_query(schema, "spellings", term, "basic")) for term, _ in terms]
                narrowed = [
                    (term, tantivy.Query.boolean_query([(must, query), *conditions])) for term, query in queries
                ]
                terms = [(term, _count(searcher, query)) for term, query in narrowed]
            found[word] = {term.partition(SPELLED)[2]: count for term, count in terms if count}
        return found

    def count(self) -> int:
        """Return the number of passages."""
        return int(self._searcher().num_docs)

    def passage_ids(self, batch: int = 10_000) -> Iterator[str]:
        """Yield every passage's id, read in batches."""
        import tantivy

        searcher = self._searcher()
        for offset in range(0, searcher.num_docs, batch):
            for _, address in searcher.search(tantivy.Query.all_query(), limit=batch, offset=offset).hits:
                yield _passage_id(searcher, address)

    def _open_writer(self) -> Any:  # noqa: ANN401 - tantivy's writer has no public type
        if self._read_only:
            raise IndexDamagedError("The keyword index was opened for reading only: open the library as its owner.")
        if self._writer is None:
            self._writer = self._index.writer(WRITER_BYTES, 1)
        return self._writer

    def _searcher(self) -> tantivy.Searcher:
        if self._read_only:
            self._index.reload()  # another process may have written meanwhile
        return self._index.searcher()


def _passage_id(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> str:
    return str(searcher.doc(address).get_first("passage_id"))


def _count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    return int(searcher.search(query, limit=1).count or 0)  # type: ignore[attr-defined]  # the stubs lack it


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("passage_id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("document_id", "language", "speaker", "collection"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("first_day", "last_day"):
        builder.add_integer_field(name, indexed=True, fast=True)
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("spellings", tokenizer_name="whitespace", index_option="basic")
    return builder.build()


def _collection_term(name: str) -> str:
    """Return a term for a name, because the index can't store an empty term."""
    return f"={name}"


def _conditions(schema: tantivy.Schema, where: Filter) -> list[tantivy.Query]:
    """Return the filter as queries that all must match and that add nothing to the score."""
    import tantivy

    conditions = [
        # a term query takes half the time of a set of one term
        tantivy.Query.term_query(schema, name, values[0], "basic")
        if len(values) == 1
        else tantivy.Query.term_set_query(schema, name, list(values))
        for name, values in (
            ("document_id", where.documents),
            ("language", where.languages),
            ("speaker", where.speakers),
            ("collection", tuple(map(_collection_term, where.collections))),
        )
        if values
    ]
    integer = tantivy.FieldType.Integer
    if where.published_from:
        first = day_range(where.published_from)[0]
        conditions.append(tantivy.Query.range_query(schema, "last_day", integer, lower_bound=first))
    if where.published_to:
        last = day_range(where.published_to)[1]
        conditions.append(
            tantivy.Query.range_query(schema, "first_day", integer, lower_bound=NO_DATE + 1, upper_bound=last)
        )
    return [tantivy.Query.const_score_query(condition, 0.0) for condition in conditions]
