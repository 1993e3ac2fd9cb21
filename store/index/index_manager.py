"""Manage the derived indexes of an open library: check and open them once, and replace them with newer ones."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

from store.catalog.change_locks import ChangeLocks
from store.document_changes import finish_changes
from store.errors import IndexDamagedError, LibraryError
from store.index.index_set import Generation, IndexSet, IndexStorage, Tokenize, VectorFiles, load_centering, outdated
from store.index.integrity import check_indexes, probe_folder
from store.index.rebuild import rebuild
from store.index.vector_index import IndexGoneError, damage_message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from store.catalog.catalog import Catalog
    from store.catalog.snapshot import Snapshot
    from store.embedding.centering import Centering
    from store.types import Filter

Access = Literal["owner", "reader", "shared"]
"""Who has the indexes open: their owner, a process next to it, or one of any number that share them on servers."""
_log = logging.getLogger(__name__)
_SECONDS_FOR_USERS = 30.0
"""How long old indexes stay open for searches that began with them."""


class IndexManager:
    """Holds one generation of indexes open in one process."""

    def __init__(self, catalog: Catalog, storage: IndexStorage, tokenize: Tokenize, access: Access) -> None:
        self._catalog = catalog
        self._storage = storage
        self._tokenize = tokenize
        self._access: Access = access
        self._changed = threading.Condition(threading.RLock())
        self._indexes: IndexSet | None = None
        self._users: Counter[Generation] = Counter()
        self._marked = False
        self._check_again = False

    @contextmanager
    def use(self) -> Iterator[IndexSet]:
        """Use the current generation, which stays open until the block ends.

        Raises IndexDamagedError if it doesn't match the catalog.
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
    def use_for_writing(self) -> Iterator[IndexSet]:
        """Use the current generation to change it; from then until `close`, the sizes of its files prove nothing."""
        with self.use() as indexes:
            if self._access == "owner":
                self._mark()
            try:
                yield indexes
            except BaseException:
                if self._access == "shared":
                    indexes.keywords.close()  # forgets uncommitted changes
                self._check_again = True  # a full disk leaves Chroma with half a file: check before the next use
                raise

    def replace(self, made: IndexSet) -> None:
        """Use `made` from now on, and close the former indexes when no search uses them."""
        with self._changed:
            former, self._indexes = self._indexes, made
            self._marked = True
            if former is not None:
                self._await_users(former)
                former.vectors.close()
                if former.keywords is not made.keywords:
                    former.keywords.close()
        self._storage.delete_others(made.generation)

    def become_owner(self) -> None:
        """Open Chroma in this process at the next use."""
        self._access = "owner"

    def open_again(self) -> None:
        """Release the open indexes; the next use opens them again."""
        with self._changed:
            if self._access == "owner":
                self._close_open()
            self._indexes = None

    def _close_open(self) -> None:
        if self._indexes is not None:
            self._indexes.close()
            self._indexes = None

    def close(self) -> None:
        """Close the open indexes, and record the state of their files for the next process that opens them."""
        with self._changed:
            if self._indexes is None:
                return
            self._await_users(self._indexes)
            generation = self._indexes.generation
            self._close_open()
        if self._access == "owner" and not self._check_again:
            self._note_clean(generation.vectors)

    def _await_users(self, indexes: IndexSet) -> None:
        self._changed.wait_for(lambda: not self._users[indexes.generation], timeout=_SECONDS_FOR_USERS)

    def _open_current(self) -> IndexSet:
        generation = Generation.noted(*self._catalog.facts(*Generation.FACTS))
        opened = self._indexes
        # Rebuilt by the owner, or no longer empty, or in the middle of a change.
        is_former = opened is not None and (self._check_again or opened.generation != generation)
        if opened is not None and is_former and self._access != "owner":
            self._indexes = None  # its users continue to use it
        elif opened is not None and is_former and not self._users[opened.generation]:
            self._close_open()
        if self._indexes is None:
            self._indexes = self._opened()
        return self._indexes

    def _opened(self) -> IndexSet:
        match self._access:
            case "owner":
                return self._open_owned()
            case "reader":
                return self._open_beside()
            case "shared":
                return self._open_shared()

    def _open_shared(self) -> IndexSet:
        """Open and check the indexes that the catalog names now; others may change or replace them meanwhile."""
        while True:
            with self._catalog.snapshot() as snapshot:
                generation, revision = Generation.of(snapshot), snapshot.number("revision")
                centering = load_centering(snapshot)
                if (change := outdated(snapshot, centering)) is not None:
                    raise LibraryError(f"This version of Attest {change}: run `attest rebuild`.")
            try:
                indexes = self._open_checked(generation, centering, counts=False)
            except IndexDamagedError:
                with self._catalog.snapshot() as snapshot:
                    if (Generation.of(snapshot), snapshot.number("revision")) == (generation, revision):
                        raise
            else:
                self._check_again = False
                return indexes

    def _open_beside(self) -> IndexSet:
        with self._catalog.snapshot() as snapshot:
            generation = Generation.of(snapshot)
            centering = load_centering(snapshot)
            if outdated(snapshot, centering):
                raise LibraryError("The library is owned by another version of Attest; stop it first.")
        keywords = self._storage.open_keywords(generation.keywords, self._tokenize, read_only=True)
        if self._storage.server is None:
            return IndexSet(generation, _OwnersVectors(), keywords, centering)
        indexes = IndexSet(generation, self._storage.open_vectors(generation.vectors), keywords, centering)
        with self._catalog.snapshot() as snapshot:
            check_indexes(snapshot, indexes, counts=False)
        return indexes

    def _open_owned(self) -> IndexSet:
        """Open, check against the catalog, and finish a killed process's changes."""
        with self._catalog.snapshot() as snapshot:
            generation = Generation.of(snapshot)
            left_clean = snapshot.value("clean")
            centering = load_centering(snapshot)
            change = outdated(snapshot, centering)
        self._storage.delete_others(generation)
        if change is not None:
            _log.warning("This version of Attest %s: the indexes are rebuilt.", change)
            return rebuild(self._catalog, self._storage, self._tokenize)
        try:
            self._check_files(generation, centering, left_clean)
            indexes = self._open_checked(generation, centering, counts=bool(left_clean))
        except IndexDamagedError as error:
            if left_clean:
                raise
            # The last owner was killed while it wrote; the catalog has everything.
            _log.warning("The indexes were left unfinished and are rebuilt: %s", error)
            return rebuild(self._catalog, self._storage, self._tokenize)
        self._finish_changes(indexes)
        self._check_again = False
        return indexes

    def _check_files(self, generation: Generation, centering: Centering, left_clean: str | None) -> None:
        """Refuse files that have changed since they were closed; probe possibly truncated files from another process."""
        if self._storage.server is not None:
            return
        files = self._storage.vector_files(generation.vectors)
        left = VectorFiles.parse(left_clean) if left_clean else None
        if left is not None and left.sizes != files.sizes:
            raise IndexDamagedError(damage_message("its files are not as they were left"))
        if left != files:
            with self._catalog.snapshot() as snapshot:
                probe_folder(snapshot, self._storage.folder("vectors", generation.vectors), centering)

    def _open_checked(self, generation: Generation, centering: Centering, *, counts: bool) -> IndexSet:
        vectors = self._storage.open_vectors(generation.vectors)
        try:
            keywords = self._storage.open_keywords(generation.keywords, self._tokenize)
            indexes = IndexSet(generation, vectors, keywords, centering)
            with self._catalog.snapshot() as snapshot:
                _require(snapshot, generation)
                check_indexes(snapshot, indexes, counts=counts)
        except BaseException:
            vectors.close()
            raise
        return indexes

    def _finish_changes(self, indexes: IndexSet) -> None:
        with self._catalog.snapshot() as snapshot:
            changes = snapshot.unfinished_changes()
        if changes:
            self._mark()
            with ChangeLocks(None).documents() as held:
                finish_changes(self._catalog, indexes, held)

    def _mark(self) -> None:
        if not self._marked:
            with self._catalog.transaction() as transaction:
                transaction.set_value("clean", "")
            self._marked = True

    def _note_clean(self, number: int) -> None:
        with self._catalog.snapshot() as snapshot:
            noted = snapshot.value("clean")
        files = str(self._storage.vector_files(number))
        if noted != files:
            with suppress(LibraryError), self._catalog.transaction() as transaction:
                transaction.set_value("clean", files)


def _require(snapshot: Snapshot, generation: Generation) -> None:
    """Raise IndexGoneError unless these indexes are still in use: another process may have added the first document."""
    if Generation.of(snapshot) != generation:
        raise IndexGoneError("The indexes were exchanged while they were opened; try again.")


class _OwnersVectors:
    """Replaces vectors that only the library's owner can read."""

    def nearest(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[str, float]]:
        """Raise LibraryError."""
        raise LibraryError("Only the process that owns the library can read its vectors.")

    def close(self) -> None:
        """Do nothing."""
