"""Define the parts of queries for packed vectors, which several readers of the catalog need."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Integer, LargeBinary, bindparam

from store.catalog.documents import WITH_PASSAGES
from store.catalog.tables import library, passages, vectors

_P, _V = passages.c, vectors.c
EMBEDDING = (
    sa.select(sa.cast(library.c.value, sa.BigInteger)).where(library.c.name == sa.literal_column("'embedding'"))
).scalar_subquery()
"""The embedding run whose vectors are in use."""
DIMENSIONS = bindparam("dimensions", type_=Integer)
SENTENCES = sa.func.length(_P.sentences, type_=Integer).op("/", return_type=Integer())(sa.literal_column("8"))
"""The number of sentences in a passage."""


def is_whole(dimensions: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a passage has all its vectors, with the same number of dimensions."""
    return sa.func.length(_V.halves, type_=Integer) == dimensions * 2 * (SENTENCES + 1)


def with_vectors(run: ColumnElement[int]) -> sa.Join:
    """Return documents, passages and their vectors of a run, joined."""
    return WITH_PASSAGES.join(vectors, sa.and_(_V.passage == _P.key, _V.embedding == run))


def first_vector(dimensions: ColumnElement[int]) -> ColumnElement[bytes]:
    """Return only the passage's own vector from its packed ones."""
    return sa.func.substr(_V.halves, 1, dimensions * 2, type_=LargeBinary)
