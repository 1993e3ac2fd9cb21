"""Having a library open: who owns it, and how it passes from one process to the next.

The owner holds the lock, has Chroma open and answers the vector queries of others. A process beside it
reads the catalog and the keywords itself and asks the owner for the rest; when the owner ends, it may succeed.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from store.catalog.database import FILE, Catalog
from store.catalog.document_changes import require_embedder
from store.errors import LibraryError, LibraryLockedError
from store.index.index_manager import Keeper
from store.index.index_set import Indexes, Place
from store.index.integrity import has_drifted
from store.index.rebuild import rebuild
from store.index.vector_index import Nearest
from store.ownership.lock import LibraryLock, read_owner
from store.ownership.vector_server import OwnerServer
from store.settings import Settings, load_settings

if TYPE_CHECKING:
    from store.embedding.embedder import Embedder

_SECONDS_TO_START = 5.0
"""How long an owner may take from its lock to a readable catalog."""
_SECONDS_FOR_READERS = 10.0
"""How long a writer waits for an owner that only reads, such as a single question."""


class Possession:
    """One process's hold on a library. Safe to use from several threads, of no use after a fork."""

    def __init__(self, settings: Settings, lock: LibraryLock, catalog: Catalog, *, owned: bool, writes: bool) -> None:
        self.settings = settings
        self.owned = owned
        self._writes = writes
        self._lock = lock
        self._catalog = catalog
        self._pid = os.getpid()
        self._closed = False
        self._embedder: Embedder | None = None
        self._loading = threading.RLock()
        self._succession = threading.Lock()
        self._server: OwnerServer | None = None
        with catalog.snapshot() as snapshot:
            self._place = Place(settings.home, snapshot.value("id") or "", settings.chroma_url)
        self._keeper = Keeper(catalog, self._place, self._tokenize, owned=owned)
        if owned:
            self._serve()

    @classmethod
    def take(cls, where: Settings | Path | str, embedder: Embedder | None, *, writes: bool) -> Possession:
        """Own the library, or for a reader sit down beside its owner. See `Library.open`."""
        settings = where if isinstance(where, Settings) else load_settings(where)
        _make_folder(settings.home)
        lock = LibraryLock(settings.home)
        catalog, owned = _take(settings.home, lock, writes=writes)
        try:
            possession = cls(settings, lock, catalog, owned=owned, writes=writes)
            if embedder is not None:
                possession._accept(embedder)
        except BaseException:
            catalog.close()
            lock.release()
            raise
        return possession

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
    def changing(self) -> Iterator[Catalog]:
        """The catalog for a change. Raises LibraryError for a library that was opened to read."""
        catalog = self.catalog
        if not self._writes:
            raise LibraryError("The library was opened for reading only.")
        yield catalog

    @contextmanager
    def indexes(self) -> Iterator[Indexes]:
        """The derived indexes, open until the block ends. Raises IndexDamagedError."""
        _ = self.catalog
        with self._keeper.lend() as indexes:
            yield indexes

    @contextmanager
    def changing_indexes(self) -> Iterator[Indexes]:
        """The same for a change."""
        with self.changing(), self._keeper.lend_to_change() as indexes:
            yield indexes

    def rebuild(self, *, embed: bool, recentre: bool, progress: Callable[[int, int], None] | None) -> None:
        """Make all indexes anew, and use them once nobody uses the old ones."""
        with self.changing() as catalog:
            embedder = self._load_embedder() if embed else None
            made = rebuild(
                catalog, self._place, self._tokenize, embedder=embedder, recentre=recentre, progress=progress
            )
            self._keeper.exchange(made)
            if embedder is not None:
                self._embedder = embedder
            catalog.vacuum()

    def recentre(self) -> None:
        """Make the vectors anew if the library's languages have moved away from what they are centred by."""
        with self.changing() as catalog:
            with catalog.snapshot() as snapshot:
                if not has_drifted(snapshot):
                    return
            with self.changing_indexes() as indexes:
                keywords = indexes.keywords
            self._keeper.exchange(rebuild(catalog, self._place, self._tokenize, keywords=keywords))

    def succeed(self) -> None:
        """After the owner has gone: become the owner if nobody else has, else look for the new one."""
        with self._succession:
            self._keeper.drop()
            if not self.owned:
                with suppress(LibraryLockedError):
                    self._lock.take(writes=False)
                    self.owned = True
                    self._keeper.become_owner()
                    self._serve()

    def close(self) -> None:
        """Close everything and give the lock back; in a fork, touch nothing that the parent still uses."""
        if self._closed or os.getpid() != self._pid:
            return
        if self._server is not None:
            self._server.close()
        self._closed = True
        self._keeper.close()
        self._catalog.close()
        self._lock.release()

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

    def _serve(self) -> None:
        """Answer others, and say where."""
        self._server = OwnerServer(self.settings.home, self._open_for_others)
        self._server.start()
        owner = read_owner(self.settings.home)
        if owner is not None:
            self._lock.describe(replace(owner, address=self._server.address))

    @contextmanager
    def _open_for_others(self) -> Iterator[tuple[int, Nearest]]:
        with self.indexes() as indexes:
            yield indexes.generation.vectors, indexes.vectors


def _take(home: Path, lock: LibraryLock, *, writes: bool) -> tuple[Catalog, bool]:
    """The catalog, and whether the lock is ours."""
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            _own(lock, writes=writes)
        except LibraryLockedError:
            if writes:
                raise
            try:
                return Catalog.open(home / FILE, read_only=True), False
            except LibraryError:
                # The owner may be on the point of making or migrating it, or of leaving.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        else:
            try:
                return Catalog.open(home / FILE), True
            except BaseException:
                lock.release()
                raise


def _own(lock: LibraryLock, *, writes: bool) -> None:
    try:
        lock.take(writes=writes)
    except LibraryLockedError:
        owner = read_owner(lock.folder)
        if not writes or owner is None or owner.writes or owner.pid == os.getpid():
            raise
        lock.take(writes=True, patience=_SECONDS_FOR_READERS)


def _make_folder(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The library's folder {home} can't be made ({error.strerror}): choose another with --home."
        ) from error
