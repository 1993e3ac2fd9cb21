"""Keep a library open: which process owns it, and how ownership passes to another process.

The owner holds the lock and has the indexes open. Other processes read the catalog themselves and ask the owner to
search (`store.search.by_owner`). When the owner ends, one of them may become the owner. A library without files in the
home has no owner: all processes are equal, and they lock what they change.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from store.catalog.catalog import Catalog
from store.catalog.change_locks import ChangeLocks
from store.catalog.database_errors import BUSY_SECONDS
from store.catalog.engine import Database
from store.document_changes import finish_changes
from store.embedder_identity import require_embedder
from store.errors import LibraryError, LibraryLockedError
from store.index.index_manager import Access, IndexManager
from store.index.index_set import Generation, IndexSet, IndexStorage, derived_folder
from store.index.integrity import has_doubled, has_drifted
from store.index.rebuild import is_outdated, rebuild
from store.ownership.copied_database import is_copy, require_own_vectors, separate
from store.ownership.lock import LibraryLock
from store.ownership.opening import make_folder, open_catalog
from store.settings import Settings, load_settings
from store.types import Progress

if TYPE_CHECKING:
    from store.catalog.change_locks import Held
    from store.embedding.embedder import Embedder
    from store.index.chroma_server import ChromaServer

_log = logging.getLogger(__name__)


class Ownership:
    """One process's access to a library, as its owner or next to it. Safe to use from several threads, not after a fork."""

    def __init__(self, settings: Settings, lock: LibraryLock, catalog: Catalog, *, owned: bool, writes: bool) -> None:
        self.settings = settings
        self.owned = owned
        """Whether this process can search and change the library alone."""
        self.locks = ChangeLocks(catalog.database if settings.is_shared else None)
        self._writes = writes
        self._lock = lock
        self._catalog = catalog
        self._pid = os.getpid()
        self._closed = False
        self._embedder: Embedder | None = None
        self._loading = threading.RLock()
        self._succession = threading.Lock()
        with catalog.snapshot() as snapshot:
            # Separate connections: a search that holds one for its snapshot must not wait for a second one from the
            # same pool.
            where = catalog.database.where
            self._keywords = None if isinstance(where, Path) else Database.connect(where, "keywords")
            self._storage = IndexStorage(
                derived_folder(settings.home, in_postgresql=settings.database_url is not None),
                snapshot.value("id") or "",
                _chroma_server(settings),
                self._keywords,
            )
        self._is_copy = settings.is_shared and writes and is_copy(catalog)
        self._indexes = self._index_manager()
        self._settled = not (settings.is_shared and writes) or self._is_copy

    @classmethod
    def take(cls, where: Settings | Path | str, embedder: Embedder | None, *, writes: bool) -> Ownership:
        """Own the library; a reader may also join it next to its owner. See `Library.open`."""
        settings = where if isinstance(where, Settings) else load_settings(where)
        make_folder(settings.home)
        lock = LibraryLock(settings.home)
        catalog, owned = open_catalog(settings, lock, writes=writes)
        try:
            ownership = cls(settings, lock, catalog, owned=owned, writes=writes)
            if embedder is not None:
                ownership._accept(embedder)
        except BaseException:
            catalog.close()
            lock.release()
            raise
        return ownership

    @property
    def catalog(self) -> Catalog:
        """The catalog, which every process may read. Raises LibraryError after a fork or `close`."""
        if self._closed:
            raise LibraryError("The library is closed.")
        if os.getpid() != self._pid:
            raise LibraryError(
                f"The library was opened by process {self._pid} and can't be used in its fork {os.getpid()}: "
                "open it in the new process, or start that with `spawn`."
            )
        return self._catalog

    @property
    def embedder(self) -> Embedder:
        """The embedding model, loaded once. Raises EmbedderMismatchError, EmbeddingModelError."""
        with self._loading:
            if self._embedder is None:
                self._accept(self._load_embedder())
            assert self._embedder is not None  # noqa: S101 - `_accept` sets it
            return self._embedder

    @contextmanager
    def catalog_for_writing(self) -> Iterator[Catalog]:
        """Use the catalog for a change. Raises LibraryError for a library opened read-only."""
        catalog = self.catalog
        if not self._writes:
            raise LibraryError("The library was opened for reading only.")
        yield catalog

    @contextmanager
    def changing(self, uris: Iterable[str] = ()) -> Iterator[Held]:
        """Change the documents under `uris`. Raises LibraryLockedError if others change them for long."""
        with self.catalog_for_writing():
            require_own_vectors(copied=self._is_copy)
            self._settle()
            with self.locks.documents(uris) as held:
                yield held

    @contextmanager
    def indexes(self) -> Iterator[IndexSet]:
        """Use the derived indexes, which stay open until the block ends. Raises IndexDamagedError."""
        _ = self.catalog
        self._settle()
        with self._indexes.use() as indexes:
            yield indexes

    @contextmanager
    def indexes_for_writing(self) -> Iterator[IndexSet]:
        """Use the derived indexes for a change. Raises LibraryError for a library opened read-only."""
        with self.catalog_for_writing():
            require_own_vectors(copied=self._is_copy)
            self._settle()
            with self._indexes.use_for_writing() as indexes:
                yield indexes

    def rebuild(self, *, embed: bool, recenter: bool, progress: Progress | None) -> None:
        """Rebuild all indexes, and use them when no search uses the old ones."""
        with self.catalog_for_writing() as catalog, self.locks.whole():
            embedder = self._load_embedder() if embed else None
            if self._is_copy:
                self._separate(catalog)
            made = rebuild(
                catalog, self._storage, self._tokenize, embedder=embedder, recenter=recenter, progress=progress
            )
            self._indexes.replace(made)
            if embedder is not None:
                self._embedder = embedder
            catalog.vacuum()

    def recenter(self, *, if_doubled: bool = False) -> None:
        """Rebuild the vectors if the library's languages have moved away from the means used to center them; with
        `if_doubled`, only if it has at least twice as many passages as then.

        If others are changing the library, one of them will do it when it has finished.
        """

        def is_due() -> bool:
            with catalog.snapshot() as snapshot:
                return (not if_doubled or has_doubled(snapshot)) and has_drifted(snapshot)

        with self.catalog_for_writing() as catalog:
            if not is_due():
                return
            with suppress(LibraryLockedError), self.locks.whole(patience=0):
                if not is_due():  # another process was faster
                    return
                with self.indexes_for_writing() as indexes:
                    keywords = indexes.keywords
                self._indexes.replace(rebuild(catalog, self._storage, self._tokenize, keywords=keywords))

    def open_again(self) -> None:
        """Open the indexes again, as the owner if the old one is gone and there is no new one yet."""
        with self._succession:
            self._indexes.open_again()
            if not self.owned:
                with suppress(LibraryLockedError):
                    self._lock.take(writes=False)
                    self.owned = True
                    self._indexes.become_owner()

    def close(self) -> None:
        """Close everything and release the lock; in a fork, touch nothing that the parent still uses."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        self._indexes.close()
        if self._storage.server is not None:
            self._storage.server.close()
        if self._keywords is not None:
            self._keywords.close()
        self.locks.close()
        self._catalog.close()
        self._lock.release()

    def _index_manager(self) -> IndexManager:
        kind: Access = "shared" if self.settings.is_shared else "owner" if self.owned else "reader"
        return IndexManager(self._catalog, self._storage, self._tokenize, kind)

    def _separate(self, catalog: Catalog) -> None:
        """Give a copied library an id of its own; its indexes must be built."""
        self._storage = replace(self._storage, library_id=separate(catalog))
        self._indexes.close()
        self._indexes = self._index_manager()
        self._is_copy = is_copy(catalog)

    def _settle(self) -> None:
        """Once in a shared library: build indexes that this version needs, and finish what killed processes left.

        If others are changing the library, the next use tries again.
        """
        if self._settled or self.locks.are_held:
            return
        if is_outdated(self.catalog):
            with self.locks.whole(BUSY_SECONDS):
                if is_outdated(self.catalog):
                    self._indexes.replace(rebuild(self.catalog, self._storage, self._tokenize))
        try:
            with self.locks.documents(patience=0) as held, self._indexes.use_for_writing() as indexes:
                finish_changes(self.catalog, indexes, held)
            self._settled = True
            with self.locks.whole(patience=0), self.catalog.snapshot() as snapshot:
                self._storage.delete_others(Generation.of(snapshot))
        except LibraryLockedError:
            return
        except LibraryError as error:  # such as that of a role that may not change documents: questions still work
            _log.info("What others left unfinished stays so for now: %s", error)
            self._settled = True

    def _accept(self, embedder: Embedder) -> None:
        with self.catalog.snapshot() as snapshot:
            require_embedder(snapshot, embedder)
        self._embedder = embedder

    def _load_embedder(self) -> Embedder:
        if self._embedder is not None:
            return self._embedder
        from store.embedding.weights import load_embedder

        return load_embedder(self.settings.embedding_model)

    def _tokenize(self, text: str) -> list[str]:
        return self.embedder.tokenize(text)


def _chroma_server(settings: Settings) -> ChromaServer | None:
    if settings.chroma_url is None:
        return None
    from store.index.chroma_server import ChromaServer, ServerAddress

    return ChromaServer(
        ServerAddress(
            settings.chroma_url,
            settings.chroma_tenant,
            settings.chroma_database,
            settings.chroma_token_file,
            settings.chroma_ca_file,
        )
    )
