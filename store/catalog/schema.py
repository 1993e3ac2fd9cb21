"""Create and migrate the catalog's schema: Alembic revisions, applied in order, after a backup of a file.

A revision is a number: its name ends with the schema that it makes. A new PostgreSQL database gets the current tables
at once. On SQLite, `PRAGMA user_version` also has the number, for older versions of Attest, which don't know Alembic.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import URL, Connection

from store.catalog import account_tables, keyword_tables, serving_tables
from store.catalog.database_errors import translate_errors
from store.catalog.engine import Database
from store.catalog.tables import library, metadata
from store.errors import LibraryError, SchemaVersionError
from store.version import program_version

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

APPLICATION_ID = 0x41545354
"""Marks a file as a catalog of ours, so that another program's database is never migrated."""
_ALEMBIC = threading.Lock()
"""Alembic runs one migration per process at a time: its revisions find their connection through a global."""
MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS = "alembic_version"
"""The table in which Alembic stores the revision of a SQLite file."""
SERVER_VERSIONS = "attest_version"
"""Its name on PostgreSQL, because another program's revisions may be in a table with Alembic's default name."""
_REVISION = sa.select(sa.column("version_num", sa.Text)).select_from(sa.table(SERVER_VERSIONS)).limit(3)
_MADE_BY = sa.select(library.c.value).where(library.c.name == "made_by")


def latest_schema(folder: Path = MIGRATIONS) -> int:
    """Return the schema version that this code reads and writes."""
    return len(list((folder / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")))


def migrate(where: Path | URL, folder: Path = MIGRATIONS) -> Path | None:
    """Bring the catalog at `where` to the latest schema; create it if it is missing.

    Returns the backup made before changing an existing file; None if none was needed.
    Raises SchemaVersionError for a newer schema, LibraryError for a file of another kind.
    """
    backup = None
    with translate_errors(where):
        if isinstance(where, Path):
            with closing(sqlite3.connect(where, isolation_level=None)) as made:
                made.execute("PRAGMA journal_mode = WAL")
        with closing(Database.connect(where)) as database:
            with database.reading() as connection:
                current = check_schema(connection, where, folder)
            if current == latest_schema(folder):
                return None
            with database.writing() as connection:  # if another process was faster, there is nothing left to do
                current = check_schema(connection, where, folder)
                if isinstance(where, Path) and 0 < current < latest_schema(folder):
                    backup = _back_up(where, current)
                _upgrade(connection, current, folder)
    return backup


def check_schema(connection: Connection, where: Path | URL, folder: Path = MIGRATIONS) -> int:
    """Return the schema version of an open catalog; 0 for an empty one. Raises what `migrate` raises."""
    if isinstance(where, Path):
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - as `where` says
        return check_file(driver, where, folder)
    named = f"{where.database} at {where.host}"
    tables = sa.inspect(connection)
    is_there = tables.has_table(SERVER_VERSIONS)
    if not is_there and not tables.get_table_names():
        return 0
    if not is_there or "version_num" not in (column["name"] for column in tables.get_columns(SERVER_VERSIONS)):
        raise LibraryError(f"{named} holds another program's tables; name an empty database.")
    current = _revision(list(connection.scalars(_REVISION)), SERVER_VERSIONS, named)
    if current > latest_schema(folder):
        made_by = connection.execute(_MADE_BY).scalar()
        raise _newer(f"in {named}", made_by, current, folder)
    return current


def check_file(connection: sqlite3.Connection, path: Path, folder: Path = MIGRATIONS) -> int:
    """Return the schema version of an open file; see `check_schema`."""
    current = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    is_empty = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)").fetchone()[0]
    if not is_empty and application != APPLICATION_ID:
        raise LibraryError(f"{path} is a database of another program; choose another --home.")
    noted = _noted_revision(connection, path)
    if max(current, noted) > latest_schema(folder):
        made_by = connection.execute("SELECT value FROM library WHERE name = 'made_by'").fetchone()
        raise _newer(f"at {path.parent}", made_by[0] if made_by else None, max(current, noted), folder)
    return current


def _noted_revision(connection: sqlite3.Connection, path: Path) -> int:
    """Return the revision that Alembic stored in a file; 0 if none, as before Attest used it."""
    has_table = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = ?)"
    if not connection.execute(has_table, (VERSIONS,)).fetchone()[0]:
        return 0
    rows = connection.execute("SELECT version_num FROM alembic_version LIMIT 3").fetchall()
    return _revision([row[0] for row in rows], VERSIONS, str(path))


def _revision(rows: Sequence[object], table: str, where: str) -> int:
    """Return the number in the only row of a table of revisions. Raises LibraryError for other rows."""
    if len(rows) == 1 and re.fullmatch(r"[0-9]{4}", str(rows[0])):
        return int(str(rows[0]))
    held = " and ".join(map(repr, rows)) or "no row"
    raise LibraryError(
        f"The table {table} in {where} doesn't tell which version made the library: it should hold one number of four "
        f"digits, and it holds {held}. Restore a backup, or name another place; nothing was changed."
    )


def make_structure(connection: sqlite3.Connection, schema: int) -> None:
    """Give an empty SQLite database the tables of a schema version."""
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    with engine.connect() as opened:
        _upgrade(opened, 0, MIGRATIONS, f"{schema:04}")


def _newer(where: str, made_by: str | None, current: int, folder: Path) -> SchemaVersionError:
    return SchemaVersionError(
        f"The library {where} was made by Attest {made_by or '?'} (schema {current}); this is {program_version()} "
        f"(schema {latest_schema(folder)}). Upgrade Attest, or choose another --home."
    )


def _upgrade(connection: Connection, current: int, folder: Path, to: str = "head") -> None:
    """Run the missing revisions, inside the caller's transaction."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext, MigrationStep

    script = _scripts(folder)

    def missing(revision: tuple[str, ...], context: MigrationContext) -> list[MigrationStep]:
        return script._upgrade_revs(to, revision)  # type: ignore[arg-type,return-value] # as Alembic's own commands do

    with _ALEMBIC, EnvironmentContext(Config(), script, fn=missing) as environment:
        versions = VERSIONS if connection.dialect.name == "sqlite" else SERVER_VERSIONS
        environment.configure(connection=connection, transactional_ddl=False, version_table=versions)
        context = environment.get_context()
        if connection.dialect.name == "postgresql" and not current:
            metadata.create_all(connection)
            account_tables.metadata.create_all(connection)
            keyword_tables.metadata.create_all(connection)
            serving_tables.metadata.create_all(connection)
            facts = {"id": token_hex(8), "vectors_generation": "1", "keywords_generation": "1"}
            connection.execute(sa.insert(library), [{"name": name, "value": value} for name, value in facts.items()])
            connection.execute(sa.insert(keyword_tables.generations), keyword_tables.empty(1))
            context.stamp(script, to)
        else:
            if current and context.get_current_revision() != f"{current:04}":  # made or changed without Alembic
                context.stamp(script, f"{current:04}")
            environment.run_migrations()
    connection.execute(sa.delete(library).where(library.c.name == "made_by"))
    connection.execute(sa.insert(library), {"name": "made_by", "value": program_version()})
    if connection.dialect.name == "sqlite":
        number = latest_schema(folder) if to == "head" else int(to)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")


@lru_cache
def _scripts(folder: Path) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(folder))


def _back_up(path: Path, current: int) -> Path:
    backup = path.with_name(f"{path.stem}.before-{current + 1:04}{path.suffix}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as copy:
        source.backup(copy)
    return backup
