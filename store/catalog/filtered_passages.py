"""Read the passages that pass a filter.

Documents are filtered before their passages are read, and few passages before their vectors: SQLite would start with all
vectors if it had to plan both at once. The time depends on what passes, not on the size of the library, except that
SQLite looks for a language that few passages have among all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from store.catalog.arrays import is_among
from store.catalog.documents import LIVE, WITH_PASSAGES, DocumentReader, document_condition
from store.catalog.packing import unpack_vectors
from store.catalog.rows import PassageVectors
from store.catalog.tables import documents, passages
from store.catalog.vector_columns import DIMENSIONS, EMBEDDING, first_vector, with_vectors
from store.types import Filter

if TYPE_CHECKING:
    from store.catalog.tables import Rows

_D, _P = documents.c, passages.c
_PASSING = sa.select(_P.id).select_from(WITH_PASSAGES).where(LIVE, is_among(_P.id))
_DOCUMENTS: Rows = sa.select(_D.key, _D.passage_count).where(LIVE).limit(bindparam("limit"))
_PASSAGES: Rows = sa.select(_P.key).select_from(WITH_PASSAGES).where(LIVE).limit(bindparam("limit"))
_VECTORS: Rows = (
    sa.select(_P.id, _P.language, first_vector(DIMENSIONS)).select_from(with_vectors(EMBEDDING)).where(LIVE)
)
_VECTORS_OF_DOCUMENTS = _VECTORS.where(is_among(_P.document))
_VECTORS_OF_PASSAGES = _VECTORS.where(is_among(_P.key))


class FilteredPassages(DocumentReader):
    """Reads passages that pass a filter, inside one transaction. A filter's languages are those of passages."""

    def passing(self, passage_ids: Sequence[str], where: Filter) -> set[str]:
        """Return those of `passage_ids` that are live and pass."""
        return {row[0] for row in self._select_in(_PASSING.where(*document_condition(where, _P.language)), passage_ids)}

    def few_vectors(self, where: Filter, most: int) -> PassageVectors | None:
        """Return the vectors of all live passages that pass; None if there are more than `most`."""
        dimensions = self.number("dimensions")
        among = [_P.language.in_(where.languages)] if where.languages else []
        if (keys := self._few_documents(where, most)) is not None:
            rows = self._select_in(_VECTORS_OF_DOCUMENTS.where(*among), keys, dimensions=dimensions)
        elif among and (keys := self._few_passages(where, most)) is not None:
            rows = self._select_in(_VECTORS_OF_PASSAGES, keys, dimensions=dimensions)
        else:
            return None
        return _unpacked(rows, dimensions)

    def _few_documents(self, where: Filter, most: int) -> list[int] | None:
        """Return the keys of the documents that pass but for their language, if they have up to `most` passages."""
        conditions = document_condition(where, language=None)
        if not conditions and where.languages:
            return None
        rows = self._connection.execute(_DOCUMENTS.where(*conditions), {"limit": most + 1}).all()
        return None if sum(row[1] for row in rows) > most else [row[0] for row in rows]

    def _few_passages(self, where: Filter, most: int) -> list[int] | None:
        """Return the keys of the passages that pass, if there are up to `most`."""
        passing = _PASSAGES.where(*document_condition(where, _P.language))
        keys = list(self._connection.scalars(passing, {"limit": most + 1}))
        return None if len(keys) > most else keys


def _unpacked(rows: Iterable[Sequence[Any]], dimensions: int) -> PassageVectors:
    held = list(rows)
    vectors = unpack_vectors(b"".join(row[2] for row in held), dimensions)
    return PassageVectors(tuple(row[0] for row in held), tuple(row[1] for row in held), vectors)
