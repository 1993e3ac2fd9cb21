"""Define the tables of accounts: in their own SQLite file, which no copy of a library includes, or in PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, CheckConstraint, Column, Double, ForeignKey, Identity, Index, LargeBinary, Table

from store.catalog.tables import TEXT

metadata = sa.MetaData()
_RIGHTS = "\"right\" IN ('ask', 'add', 'administer')"

accounts = Table(
    "accounts",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("folded", TEXT, nullable=False, unique=True),  # names that people don't tell apart are equal
    Column("password", TEXT),  # a hash with salt and parameters; NULL: only a proxy lets this person in
    Column("right", TEXT, CheckConstraint(_RIGHTS), nullable=False),
    Column("collections", TEXT),  # JSON array; NULL: all
    Column("created", TEXT, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("token", LargeBinary, primary_key=True),  # SHA-256 of the browser's token
    Column("account", TEXT, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("began", Double, nullable=False),  # seconds since 1970, as `seen`
    Column("seen", Double, nullable=False),
    Index("sessions_by_account", "account", "seen"),
)
attempts = Table(
    "attempts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("subject", LargeBinary, nullable=False),  # digest of a name or of an address
    Column("at", Double, nullable=False),
    Index("attempts_by_subject", "subject", "at"),
    Index("attempts_by_time", "at"),
)
tokens = Table(
    "tokens",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the program's token
    Column("account", TEXT, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("label", TEXT, nullable=False),
    Column("right", TEXT, CheckConstraint(_RIGHTS), nullable=False),
    Column("collections", TEXT),  # JSON array; NULL: all that the account may see
    Column("created", TEXT, nullable=False),
    Column("ends", Double),  # seconds since 1970, as `used`; NULL: never
    Column("used", Double),
    Column("rowid", BigInteger, Identity(always=True), nullable=False),  # SQLite has it in every table
    Index("tokens_by_account", "account"),
)
