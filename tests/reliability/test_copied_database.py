"""A copy of the library's database, as `pg_restore` makes one, takes nothing away from the original."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from store.doctor import checks as health
from store.errors import LibraryError
from store.library import Library
from store.settings import Settings, load_settings
from tests.postgresql import PostgresServer
from tests.servers import ChromaProcess, chroma_running
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, found, parsed
from tests.store.whole_library import in_postgresql

pytestmark = pytest.mark.server

DOCUMENTS = [parsed(name, *texts, language=name[:2]) for name, texts in SCRIPTS.items()]
QUESTION = SCRIPTS["th"][1]


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaProcess]:
    with chroma_running(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def original(postgresql: PostgresServer, chroma: ChromaProcess, tmp_path: Path) -> Settings:
    home = load_settings(tmp_path / "home")
    settings = in_postgresql(home, postgresql.new_database(), tmp_path, chroma_url=chroma.url)
    with opened(settings) as library:
        add(library, *DOCUMENTS)
    return settings


@pytest.fixture
def copy(original: Settings, postgresql: PostgresServer, chroma: ChromaProcess, tmp_path: Path) -> Settings:
    """The same rows in another database, with the same Chroma server."""
    copied = postgresql.new_database(sa.make_url(original.database_url or "").database or "")
    return in_postgresql(load_settings(tmp_path / "copy"), copied, tmp_path, chroma_url=chroma.url)


def opened(settings: Settings) -> Library:
    return Library.open(settings, embedder=HashingEmbedder())


def test_a_copy_answers_but_changes_nothing_that_belongs_to_the_original(original: Settings, copy: Settings) -> None:
    with opened(copy) as copied, opened(original) as library:
        assert found(copied, QUESTION) == found(library, QUESTION) != []
        with pytest.raises(LibraryError, match="attest rebuild"):
            add(copied, parsed("new", "Only in the copy."))
        with pytest.raises(LibraryError, match="copied from another"):
            copied.remove(DOCUMENTS[0].document.id)
        assert health.check(library) == []


def test_a_rebuilt_copy_has_vectors_of_its_own_and_the_original_keeps_its_own(
    original: Settings, copy: Settings
) -> None:
    with opened(original) as library:
        before = contents(library)
    with opened(copy) as copied:
        copied.rebuild()
        add(copied, parsed("new", "Only in the copy."))
        copied.remove(DOCUMENTS[0].document.id)
        assert health.check(copied) == []
    with opened(original) as library, opened(copy) as copied:
        assert health.check(library) == []
        assert contents(library) == before
        assert found(copied, "only in the copy")[0] == "Only in the copy."


def test_a_copy_whose_original_is_gone_can_keep_its_vectors(copy: Settings, postgresql: PostgresServer) -> None:
    name = sa.make_url(copy.database_url or "").database or ""
    postgresql.execute("DELETE FROM library WHERE name = 'place'", name)
    with opened(copy) as copied:
        add(copied, parsed("new", "Only in the copy."))
        assert found(copied, "only in the copy")[0] == "Only in the copy."
        assert health.check(copied) == []
