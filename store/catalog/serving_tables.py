"""Define tables that servers of one library share, on PostgreSQL only; they are about servers, and in no backup."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Double, Identity, Index, LargeBinary, Table

from store.catalog.tables import TEXT

metadata = sa.MetaData()

# Files on their way into the library, and embedding all of it again; see `assistant.server.shared_intake`.
uploads = Table(
    "serving_uploads",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("folder", TEXT),  # which folder of uploads has the file: servers may share one or have their own
    Column("path", TEXT),  # below it; NULL: not a file
    Column("collection", TEXT),
    Column("state", TEXT, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("error", TEXT),  # JSON
    Index("serving_uploads_by_state", "state", "id"),
)

# Recently removed documents that can be brought back.
removed = Table(
    "serving_removed",
    metadata,
    Column("document", TEXT, primary_key=True),
    Column("collection", TEXT, nullable=False),
    Column("parsed", LargeBinary, nullable=False),  # JSON: PostgreSQL's text lacks the character NUL
    Column("at", Double, nullable=False),  # seconds since 1970, as `began`
)

# How many requests each caller has made in the minute that began with the first.
requests = Table(
    "serving_requests",
    metadata,
    Column("caller", LargeBinary, primary_key=True),  # SHA-256
    Column("began", Double, nullable=False),
    Column("made", BigInteger, nullable=False),
)
