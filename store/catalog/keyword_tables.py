"""Define the tables of the keyword index, for PostgreSQL only: a library in files keeps its keywords in other files.

Passages of a generation are numbered from 0. A row of postings has those of one term for `BLOCK` consecutive numbers,
so adding passages rewrites only the last block of each of their terms.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, LargeBinary, SmallInteger, Table

from store.catalog.tables import TEXT

metadata = sa.MetaData()
BLOCK = 8192
"""Numbers of passages in one block."""

generations = Table(
    "keyword_generations",
    metadata,
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("passages", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),  # of all passages together
    Column("next", BigInteger, nullable=False),  # number of the next passage
    Column("languages", TEXT, nullable=False),  # JSON array: postings contain an index into it, counted from 1
)


def empty(generation: int) -> dict[str, object]:
    """Return the row of a generation without passages."""
    return {"generation": generation, "passages": 0, "tokens": 0, "next": 0, "languages": "[]"}


terms = Table(
    "keyword_terms",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("generation", BigInteger, ForeignKey(generations.c.generation), nullable=False),
    Column("term", LargeBinary, nullable=False),  # UTF-8: PostgreSQL's text lacks the character NUL
    Column("passages", BigInteger, nullable=False),  # number of passages that have it
    sa.UniqueConstraint("generation", "term"),
)
postings = Table(
    "keyword_postings",
    metadata,
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("postings", LargeBinary, nullable=False),  # see `store.index.bm25`
)
passages = Table(
    "keyword_passages",
    metadata,
    Column("generation", BigInteger, ForeignKey(generations.c.generation), primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("passage_id", TEXT, nullable=False),
    Column("document_id", TEXT, nullable=False),
    Column("language", TEXT, nullable=False),
    Column("speaker", TEXT),
    Column("collection", TEXT, nullable=False),
    Column("first_day", BigInteger),  # yyyymmdd of the first and the last day that the date can mean
    Column("last_day", BigInteger),
    Column("tokens", BigInteger, nullable=False),
    Column("norm", SmallInteger, nullable=False),
    Column("terms", LargeBinary, nullable=False),  # see `store.index.bm25`
    sa.UniqueConstraint("generation", "passage_id"),
    Index("keyword_passages_document", "generation", "document_id"),
    Index("keyword_passages_speaker", "generation", "speaker"),
    Index("keyword_passages_collection", "generation", "collection"),
)
