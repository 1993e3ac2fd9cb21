"""Keep the count and sum of each language's vectors correct while documents are added and removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert  # also compiles for SQLite, which has the same clause

from store.catalog.arrays import is_among
from store.catalog.language_sums import LanguageStatistics, LanguageSums
from store.catalog.packing import pack_sum
from store.catalog.snapshot import Snapshot
from store.catalog.tables import centering, languages, passages, vectors
from store.catalog.vector_columns import EMBEDDING, first_vector

if TYPE_CHECKING:
    from store.catalog.tables import Rows

_P, _V = passages.c, vectors.c


def upsert(table: sa.Table) -> sa.Insert:
    """Return a statement that inserts a row, or replaces the one with its key."""
    statement = insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)


_SET_LANGUAGE = upsert(languages)
_KEEP_CENTERING = sa.insert(centering).from_select(
    ["language", "count", "sum"], sa.select(languages.c.language, languages.c["count"], languages.c["sum"])
)
_OF_DOCUMENTS: Rows = (
    sa.select(_P.language, first_vector(bindparam("dimensions", type_=sa.Integer)), _V.tokens)
    .select_from(passages.join(vectors, sa.and_(_V.passage == _P.key, _V.embedding == EMBEDDING)))
    .where(is_among(_P.document))
)


class LanguageCounter(Snapshot):
    """Changes the statistics of languages, inside the transaction that changes the documents."""

    def set_languages(self, statistics: Mapping[str, LanguageStatistics], *, recentered: bool) -> None:
        """Store the library's statistics; if `recentered`, also as those by which its vectors are centered."""
        self._connection.execute(sa.delete(languages))
        self._insert_languages(statistics.values())
        if recentered:
            self._connection.execute(sa.delete(centering))
            self._connection.execute(_KEEP_CENTERING)

    def count_documents(self, keys: Sequence[int], sign: int) -> None:
        """Add the documents' passages to the sums of their languages; with sign -1 subtract them."""
        dimensions = self.number("dimensions")
        if not dimensions or not keys:
            return
        counted = LanguageSums(dimensions)
        for row in self._select_in(_OF_DOCUMENTS, keys, dimensions=dimensions):
            counted.add(*row)
        before = self.language_statistics()
        after = []
        for language, change in counted.statistics().items():
            signed = change if sign > 0 else change.negative()
            after.append(before[language].plus(signed) if language in before else signed)
        self._insert_languages(each for each in after if each.count)
        gone = [each.language for each in after if not each.count]
        if gone:
            self._connection.execute(sa.delete(languages).where(languages.c.language.in_(gone)))

    def _insert_languages(self, statistics: Iterable[LanguageStatistics]) -> None:
        rows = [
            {
                "language": each.language,
                "count": each.count,
                "sum": pack_sum(each.sum),
                "tokens": b"" if each.token_sum is None else pack_sum(each.token_sum),
            }
            for each in statistics
        ]
        if rows:
            self._connection.execute(_SET_LANGUAGE, rows)
