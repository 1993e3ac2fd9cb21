"""Define the catalog's tables, on SQLite and PostgreSQL. `store.catalog.migrations` makes them; a test compares both.

Offsets are code points into a document's normalized text; `key` columns are private to one catalog.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, LargeBinary, Table

if TYPE_CHECKING:
    Rows = sa.Select[*tuple[Any, ...]]
    """A query for rows of any columns."""
    AnyRow = sa.Row[*tuple[Any, ...]]

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Ordered by code points, like SQLite, as pages of documents need it."""
metadata = sa.MetaData()
IS_LIVE: sa.ColumnClause[str] = sa.literal_column("'live'")
"""Literal, because the index on live documents isn't used for a query that has a parameter here."""

library = Table(
    "library",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("key", BigInteger, Identity(), primary_key=True),
    Column("id", TEXT, nullable=False),
    Column("uri", TEXT, nullable=False),
    Column("title", TEXT, nullable=False),
    Column("speaker", TEXT),
    Column("published", TEXT),
    Column("published_first", BigInteger),  # yyyymmdd of the first and the last day that `published` can mean
    Column("published_last", BigInteger),
    Column("language", TEXT, nullable=False),
    Column("original_sha256", TEXT, nullable=False),
    Column("text_sha256", TEXT, nullable=False),
    Column("media_type", TEXT, nullable=False),
    Column("pages", TEXT, nullable=False),  # JSON array of offsets
    Column("normalization", BigInteger, nullable=False),
    Column("version", TEXT, nullable=False),  # digest of the text and of its division into passages
    Column("characters", BigInteger, nullable=False),
    Column("passage_count", BigInteger, nullable=False),
    Column("state", TEXT, CheckConstraint("state IN ('pending', 'live', 'retired')"), nullable=False),
    Column("stale", BigInteger, CheckConstraint("stale IN (0, 1)"), nullable=False, server_default=sa.text("0")),
    Column("collection", TEXT, nullable=False, server_default=sa.text("''")),
    Column("signs", TEXT, nullable=False, server_default=sa.text("''")),
)


def _index(name: str, *columns: str, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    Index(
        name,
        *(documents.c[column] for column in columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


_index("documents_live_id", "id", where="state = 'live'", unique=True)
_index("documents_live_uri", "uri", where="state = 'live'", unique=True)
_index("documents_live_speaker", "speaker", "characters", "state", where="state = 'live'")
_index("documents_unsettled", "state", where="state <> 'live'")
_index("documents_stale", "key", where="stale = 1")
_index(
    "documents_live_collection",
    *("collection", "language", "speaker", "characters", "passage_count", "state"),
    where="state = 'live'",
)
_index("documents_live_dates", *("published_last", "published_first", "passage_count", "state"), where="state = 'live'")

# In blocks of a fixed number of code points, so that a quote from a huge text reads one or two rows.
texts = Table(
    "texts",
    metadata,
    Column("document", BigInteger, ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("text", TEXT, nullable=False),
)

passages = Table(
    "passages",
    metadata,
    Column("key", BigInteger, Identity(), primary_key=True),
    Column("id", TEXT, nullable=False, unique=True),
    Column("document", BigInteger, ForeignKey("documents.key", ondelete="CASCADE"), nullable=False),
    Column("ordinal", BigInteger, nullable=False),
    Column("start_offset", BigInteger, nullable=False),
    Column("end_offset", BigInteger, CheckConstraint("end_offset >= start_offset"), nullable=False),
    Column("language", TEXT, nullable=False),
    Column("heading_start", BigInteger),
    Column("heading_end", BigInteger),
    Column("sentences", LargeBinary, nullable=False),  # packed spans, relative to start_offset
    Column("content", LargeBinary, nullable=False),  # digest of the embedded parts: equal words are embedded once
    sa.UniqueConstraint("document", "ordinal"),
    Index("passages_content", "content"),
    # Not on SQLite, which has no statistics of how many passages a language has, and would prefer it to passages' ids.
    Index("passages_language", "language").ddl_if(dialect="postgresql"),
)

vectors = Table(
    "vectors",
    metadata,
    Column("passage", BigInteger, ForeignKey("passages.key", ondelete="CASCADE"), primary_key=True),
    # Which run of which model: `library.embedding` names the one in use.
    Column("embedding", BigInteger, primary_key=True),
    Column("halves", LargeBinary, nullable=False),  # float16, row 0 the passage, then its sentences
    # Used by late interaction. Empty if the model has no basis for it.
    Column("tokens", LargeBinary, nullable=False, server_default=sa.text("''")),
)

languages = Table(
    "languages",
    metadata,
    Column("language", TEXT, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("sum", LargeBinary, nullable=False),  # float64
    # Sum over passages of their mean code, float64; empty if there are none.
    Column("tokens", LargeBinary, nullable=False, server_default=sa.text("''")),
)

# The statistics of the indexes in use: their vectors are centered by these, not by newer ones.
centering = Table(
    "centring",
    metadata,
    Column("language", TEXT, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("sum", LargeBinary, nullable=False),
)


def _rowid() -> Column[int]:
    """Return the order in which rows were created: SQLite has such a column in every table, with this name."""
    return Column("rowid", BigInteger, Identity(always=True), nullable=False)


conversations = Table(
    "conversations",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("owner", TEXT, nullable=False),
    Column("title", TEXT, nullable=False),
    Column("created", TEXT, nullable=False),
    Column("updated", TEXT, nullable=False),
    Column("leaf", TEXT),
    Index("conversations_by_owner", "owner", "updated"),
)

# A tree of turns for each conversation, with the whole answer next to each question.
turns = Table(
    "turns",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("conversation", TEXT, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("parent", TEXT, ForeignKey("turns.id", ondelete="CASCADE")),
    Column("question", TEXT, nullable=False),
    Column("options", TEXT, nullable=False, server_default=sa.text("'{}'")),
    Column(
        "state",
        TEXT,
        CheckConstraint("state IN ('asked', 'finished', 'stopped', 'failed')"),
        nullable=False,
    ),
    Column("answer", TEXT),
    Column("created", TEXT, nullable=False),
    _rowid(),
    Index("turns_by_conversation", "conversation"),
    Index("turns_by_parent", "parent"),
)

# A verdict outlives its conversation, so it includes the answer that it is about.
feedback = Table(
    "feedback",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("turn", TEXT, nullable=False),
    Column("citation", BigInteger),
    Column("verdict", TEXT, CheckConstraint("verdict IN ('good', 'bad')"), nullable=False),
    Column("comment", TEXT, nullable=False, server_default=sa.text("''")),
    Column("answer", TEXT, nullable=False),
    Column("created", TEXT, nullable=False),
    _rowid(),
    Index("feedback_by_turn", "turn"),
)
