"""Run the tests of libraries, conversations and accounts on both kinds of database, by a fixture's parameter.

On PostgreSQL each folder that a test opens stands for a separate database. A test that looks into SQLite's files, or
starts other processes, is marked `sqlite` and runs on SQLite alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from assistant.accounts.database import Database
from store.catalog.catalog import Catalog
from store.catalog.conversations import Conversations
from store.catalog.schema import migrate
from tests.postgresql import PostgresServer

QUICK = {"tests.store.test_conversations", "tests.security.test_accounts"}
"""Modules whose tests take seconds on a server: part of `make test`."""
MODULES = QUICK | {"tests.store.test_library", "tests.store.test_collections"}
"""Modules that run on both; `make test-server` runs all of them."""


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Have a test of these modules run on both."""
    name = metafunc.module.__name__
    if name not in MODULES or metafunc.definition.get_closest_marker("sqlite"):
        return
    marks = () if name in QUICK else (pytest.mark.server,)
    metafunc.fixturenames.insert(0, "kind_of_database")
    metafunc.parametrize("kind_of_database", ["sqlite", pytest.param("postgresql", marks=marks)], indirect=True)


class Databases:
    """A database for each folder, made when it is first asked for."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._known: dict[Path, URL] = {}

    def of(self, folder: Path) -> URL:
        """Return the address of the folder's database."""
        if folder not in self._known:
            self._known[folder] = self._server.new_database(template=_template(self._server))
        return self._known[folder]

    def redirect(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have whatever is opened in a folder be opened in its database."""
        for owner in (Catalog, Conversations):
            monkeypatch.setattr(owner, "open", self._redirected(owner.open, lambda path: path.parent))
        monkeypatch.setattr(Database, "open", self._redirected(Database.open, lambda path: path))

    def _redirected(self, opened: Callable[..., Any], folder_of: Callable[[Path], Path]) -> Callable[..., Any]:
        def open_there(where: Path, **options: Any) -> Any:
            folder_of(where).mkdir(parents=True, exist_ok=True)
            return opened(self.of(folder_of(where)), **options)

        return staticmethod(open_there)


_TEMPLATES: dict[int, str] = {}


def _template(server: PostgresServer) -> str:
    """Return the name of a database with all tables, to copy others from."""
    if server.port not in _TEMPLATES:
        where = server.new_database()
        migrate(where)
        _TEMPLATES[server.port] = str(where.database)
    return _TEMPLATES[server.port]
