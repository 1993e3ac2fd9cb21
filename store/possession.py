"""Having a library open: who owns it, what is open of it, and how it passes from one process to the next.

The owner holds the lock, has Chroma open and answers the vector queries of others. A process beside it
reads the catalog and the keywords itself and asks the owner for the rest; when the owner ends, it may succeed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from store import adding, writing
from store.adding import require_embedder
from store.catalog import FILE, Catalog
from store.errors import IndexDamagedError, LibraryError, LibraryLockedError
from store.index import Nearest, damaged
from store.indexes import Generation, Indexes, Place, VectorFiles, load_centring
from store.integrity import check_indexes, has_drifted, probe_folder
from store.lock import LibraryLock, read_owner
from store.owner import OwnerServer, RemoteIndex
from store.rebuilding import rebuild
from store.settings import Settings, load_settings
from store.upkeep import unsettled

if TYPE_CHECKING:
    from store.centring import Centring
    from store.embed import Embedder

_log = logging.getLogger(__name__)
_SECONDS_TO_START = 5.0
"""How long an owner may take from its lock to a readable catalog."""
_SECONDS_TO_SWAP = 30.0
"""How long old indexes are kept for searches that began before new ones were made."""
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
        self._changed = threading.Condition(threading.RLock())
        self._indexes: Indexes | None = None
        self._users: Counter[Generation] = Counter()
        self._server: OwnerServer | None = None
        self._marked = False
        self._doubtful = False
        self._place = Place(settings.home, self._library_id(), settings.chroma_url)
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
    def indexes(self) -> Iterator[Indexes]:
        """The derived indexes of the current generation, kept open until the block ends.

        Raises IndexDamagedError when they don't hold what the catalog says.
        """
        with self._changed:
            indexes = self._open_current()
            self._users[indexes.generation] += 1
        try:
            yield indexes
        finally:
            with self._changed:
                self._users[indexes.generation] -= 1
                self._changed.notify_all()

    @contextmanager
    def changing(self) -> Iterator[Catalog]:
        """The catalog for a change. Raises LibraryError for a library that was opened to read."""
        catalog = self.catalog
        if not self._writes:
            raise LibraryError("The library was opened for reading only.")
        yield catalog

    @contextmanager
    def changing_indexes(self) -> Iterator[Indexes]:
        """The indexes for a change: until `close`, the sizes of their files prove nothing."""
        with self.changing() as catalog, self.indexes() as indexes:
            self._mark(catalog)
            try:
                yield indexes
            except BaseException:
                self._doubtful = True  # a full disk leaves Chroma with half a file: look before the next use
                raise

    def rebuild(self, *, embed: bool, progress: Callable[[int, int], None] | None) -> None:
        """Make all indexes anew, and use them once nobody uses the old ones."""
        with self.changing() as catalog:
            embedder = self._load_embedder() if embed else None
            made = rebuild(catalog, self._place, self._tokenize, embedder=embedder, progress=progress)
            self._swap(made)
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
            self._swap(rebuild(catalog, self._place, self._tokenize, keywords=keywords))

    def _swap(self, made: Indexes) -> None:
        with self._changed:
            former, self._indexes = self._indexes, made
            self._marked = True
            if former is not None:
                self._changed.wait_for(lambda: not self._users[former.generation], timeout=_SECONDS_TO_SWAP)
                former.vectors.close()
                if former.keywords is not made.keywords:
                    former.keywords.close()
        self._place.delete_others(made.generation)

    def succeed(self) -> None:
        """After the owner has gone: become the owner if nobody else has, else look for the new one."""
        with self._changed:
            if self._indexes is not None:
                self._indexes.close()
                self._indexes = None
            if not self.owned:
                with suppress(LibraryLockedError):
                    self._lock.take(writes=False)
                    self.owned = True
                    self._serve()

    def close(self) -> None:
        """Close everything and give the lock back; in a fork, touch nothing that the parent still uses."""
        if self._closed or os.getpid() != self._pid:
            return
        if self._server is not None:
            self._server.close()
        with self._changed:
            self._closed = True
            if self._indexes is not None:
                self._indexes.close()
                if self.owned and not self._doubtful:
                    self._note_clean(self._indexes.generation.vectors)
        self._catalog.close()
        self._lock.release()

    def _open_current(self) -> Indexes:
        with self.catalog.snapshot() as snapshot:
            generation = Generation.of(snapshot)
        opened = self._indexes
        # Made anew by the owner, or no longer empty, or left in the middle of a change.
        outdated = opened is not None and (self._doubtful or opened.generation != generation)
        if opened is not None and outdated and not self._users[opened.generation]:
            opened.close()
            self._indexes = None
        if self._indexes is None:
            self._indexes = self._open_owned() if self.owned else self._open_beside()
        return self._indexes

    def _open_beside(self) -> Indexes:
        with self.catalog.snapshot() as snapshot:
            generation = Generation.of(snapshot)
            centring = load_centring(snapshot)
            if snapshot.value("centring_version") not in {None, centring.version}:
                raise LibraryError("The library is owned by another version of Attest; stop it first.")
        keywords = self._place.open_keywords(generation.keywords, self._tokenize, read_only=True)
        if self.settings.chroma_url is not None:
            vectors: Nearest = self._place.open_vectors(generation.vectors)
        else:
            vectors = RemoteIndex(self.settings.home, generation.vectors)
        return Indexes(generation, vectors, keywords, centring)

    def _open_owned(self) -> Indexes:
        """Open, check against the catalog, and end what a killed process left half done."""
        catalog = self.catalog
        with catalog.snapshot() as snapshot:
            generation = Generation.of(snapshot)
            left_clean = snapshot.value("clean")
            centring = load_centring(snapshot)
            outdated = snapshot.value("centring_version") not in {None, centring.version}
        self._place.delete_others(generation)
        if outdated:
            _log.warning("This version of Attest knows the languages' means better: the indexes are made anew.")
            return rebuild(catalog, self._place, self._tokenize)
        try:
            self._check_files(generation, centring, left_clean)
            indexes = self._open_checked(generation, centring, counts=bool(left_clean))
        except IndexDamagedError as error:
            if left_clean:
                raise
            # The process that had it last was killed while it wrote: mend it, as the catalog has it all.
            _log.warning("The indexes were left unfinished and are made anew: %s", error)
            return rebuild(catalog, self._place, self._tokenize)
        self._settle(indexes)
        self._doubtful = False
        return indexes

    def _check_files(self, generation: Generation, centring: Centring, left_clean: str | None) -> None:
        """Refuse files that aren't as they were left, and look into doubtful ones from another process."""
        if self.settings.chroma_url is not None:
            return
        files = self._place.vector_files(generation.vectors)
        left = VectorFiles.parse(left_clean) if left_clean else None
        if left is not None and left.sizes != files.sizes:
            raise IndexDamagedError(damaged("its files are not as they were left"))
        if left != files:
            with self.catalog.snapshot() as snapshot:
                probe_folder(snapshot, self._place.folder("vectors", generation.vectors), centring)

    def _open_checked(self, generation: Generation, centring: Centring, *, counts: bool) -> Indexes:
        vectors = self._place.open_vectors(generation.vectors)
        try:
            keywords = self._place.open_keywords(generation.keywords, self._tokenize)
            indexes = Indexes(generation, vectors, keywords, centring)
            with self.catalog.snapshot() as snapshot:
                check_indexes(snapshot, indexes, counts=counts)
        except BaseException:
            vectors.close()
            raise
        return indexes

    def _settle(self, indexes: Indexes) -> None:
        with self.catalog.snapshot() as snapshot:
            changes = unsettled(snapshot)
        if changes:
            self._mark(self.catalog)
            adding.settle(self.catalog, indexes)

    def _mark(self, catalog: Catalog) -> None:
        """Note that the indexes are about to change: until `close`, the sizes of their files prove nothing."""
        if not self._marked:
            with catalog.transaction() as connection:
                writing.set_value(connection, "clean", "")
            self._marked = True

    def _accept(self, embedder: Embedder) -> None:
        with self.catalog.snapshot() as snapshot:
            require_embedder(snapshot, embedder)
        self._embedder = embedder

    def _load_embedder(self) -> Embedder:
        if self._embedder is not None:
            return self._embedder
        from store.weights import load_embedder

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

    def _library_id(self) -> str:
        with self._catalog.snapshot() as snapshot:
            known = snapshot.value("id")
        if known is not None:
            return known
        with self._catalog.transaction() as connection:
            writing.set_value(connection, "id", os.urandom(8).hex())
            writing.set_value(connection, "vectors_generation", 1)
            writing.set_value(connection, "keywords_generation", 1)
        return self._library_id()

    def _note_clean(self, generation: int) -> None:
        with self._catalog.snapshot() as snapshot:
            noted = snapshot.value("clean")
        files = str(self._place.vector_files(generation))
        if noted != files:
            with suppress(LibraryError), self._catalog.transaction() as connection:
                writing.set_value(connection, "clean", files)


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
