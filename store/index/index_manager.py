"""The derived indexes while a library is open: opened and checked once, lent to searches, exchanged for newer ones."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from store.catalog import catalog_writer as writing
from store.catalog import document_changes as adding
from store.catalog.maintenance import unsettled
from store.errors import IndexDamagedError, LibraryError
from store.index.index_set import Generation, Indexes, Place, Tokenize, VectorFiles, load_centring, outdated
from store.index.integrity import check_indexes, probe_folder
from store.index.rebuild import rebuild
from store.index.vector_index import Nearest, damaged
from store.ownership.vector_server import RemoteIndex

if TYPE_CHECKING:
    from store.catalog.database import Catalog
    from store.embedding.centering import Centring

_log = logging.getLogger(__name__)
_SECONDS_TO_END = 30.0
"""How long old indexes are kept for searches that began with them."""


class Keeper:
    """Keeps one generation of indexes open for one process, the library's owner or one beside it."""

    def __init__(self, catalog: Catalog, place: Place, tokenize: Tokenize, *, owned: bool) -> None:
        self._catalog = catalog
        self._place = place
        self._tokenize = tokenize
        self._owned = owned
        self._changed = threading.Condition(threading.RLock())
        self._indexes: Indexes | None = None
        self._users: Counter[Generation] = Counter()
        self._marked = False
        self._doubtful = False

    @contextmanager
    def lend(self) -> Iterator[Indexes]:
        """The current generation, kept open until the block ends.

        Raises IndexDamagedError when it doesn't hold what the catalog says.
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
    def lend_to_change(self) -> Iterator[Indexes]:
        """The same for a change: from now until `close` the sizes of the files prove nothing."""
        with self.lend() as indexes:
            self._mark()
            try:
                yield indexes
            except BaseException:
                self._doubtful = True  # a full disk leaves Chroma with half a file: look before the next use
                raise

    def exchange(self, made: Indexes) -> None:
        """Use these from now on, and close the former ones once nobody uses them."""
        with self._changed:
            former, self._indexes = self._indexes, made
            self._marked = True
            if former is not None:
                self._await_end(former)
                former.vectors.close()
                if former.keywords is not made.keywords:
                    former.keywords.close()
        self._place.delete_others(made.generation)

    def become_owner(self) -> None:
        """From the next use on, have Chroma open in this process."""
        self._owned = True

    def drop(self) -> None:
        """Close what is open; the next use opens it again."""
        with self._changed:
            if self._indexes is not None:
                self._indexes.close()
                self._indexes = None

    def close(self) -> None:
        """Close what is open, and note how the files were left, for whoever opens them next."""
        with self._changed:
            if self._indexes is None:
                return
            self._await_end(self._indexes)
            generation = self._indexes.generation
            self.drop()
        if self._owned and not self._doubtful:
            self._note_clean(generation.vectors)

    def _await_end(self, indexes: Indexes) -> None:
        self._changed.wait_for(lambda: not self._users[indexes.generation], timeout=_SECONDS_TO_END)

    def _open_current(self) -> Indexes:
        with self._catalog.snapshot() as snapshot:
            generation = Generation.of(snapshot)
        opened = self._indexes
        # Made anew by the owner, or no longer empty, or left in the middle of a change.
        is_former = opened is not None and (self._doubtful or opened.generation != generation)
        if opened is not None and is_former and not self._users[opened.generation]:
            opened.close()
            self._indexes = None
        if self._indexes is None:
            self._indexes = self._open_owned() if self._owned else self._open_beside()
        return self._indexes

    def _open_beside(self) -> Indexes:
        with self._catalog.snapshot() as snapshot:
            generation = Generation.of(snapshot)
            centring = load_centring(snapshot)
            if outdated(snapshot, centring):
                raise LibraryError("The library is owned by another version of Attest; stop it first.")
        keywords = self._place.open_keywords(generation.keywords, self._tokenize, read_only=True)
        if self._place.chroma_url is not None:
            vectors: Nearest = self._place.open_vectors(generation.vectors)
        else:
            vectors = RemoteIndex(self._place.home, generation.vectors)
        return Indexes(generation, vectors, keywords, centring)

    def _open_owned(self) -> Indexes:
        """Open, check against the catalog, and end what a killed process left half done."""
        with self._catalog.snapshot() as snapshot:
            generation = Generation.of(snapshot)
            left_clean = snapshot.value("clean")
            centring = load_centring(snapshot)
            change = outdated(snapshot, centring)
        self._place.delete_others(generation)
        if change is not None:
            _log.warning("This version of Attest %s: the indexes are made anew.", change)
            return rebuild(self._catalog, self._place, self._tokenize)
        try:
            self._check_files(generation, centring, left_clean)
            indexes = self._open_checked(generation, centring, counts=bool(left_clean))
        except IndexDamagedError as error:
            if left_clean:
                raise
            # The process that had it last was killed while it wrote: mend it, as the catalog has it all.
            _log.warning("The indexes were left unfinished and are made anew: %s", error)
            return rebuild(self._catalog, self._place, self._tokenize)
        self._settle(indexes)
        self._doubtful = False
        return indexes

    def _check_files(self, generation: Generation, centring: Centring, left_clean: str | None) -> None:
        """Refuse files that aren't as they were left, and look into doubtful ones from another process."""
        if self._place.chroma_url is not None:
            return
        files = self._place.vector_files(generation.vectors)
        left = VectorFiles.parse(left_clean) if left_clean else None
        if left is not None and left.sizes != files.sizes:
            raise IndexDamagedError(damaged("its files are not as they were left"))
        if left != files:
            with self._catalog.snapshot() as snapshot:
                probe_folder(snapshot, self._place.folder("vectors", generation.vectors), centring)

    def _open_checked(self, generation: Generation, centring: Centring, *, counts: bool) -> Indexes:
        vectors = self._place.open_vectors(generation.vectors)
        try:
            keywords = self._place.open_keywords(generation.keywords, self._tokenize)
            indexes = Indexes(generation, vectors, keywords, centring)
            with self._catalog.snapshot() as snapshot:
                check_indexes(snapshot, indexes, counts=counts)
        except BaseException:
            vectors.close()
            raise
        return indexes

    def _settle(self, indexes: Indexes) -> None:
        with self._catalog.snapshot() as snapshot:
            changes = unsettled(snapshot)
        if changes:
            self._mark()
            adding.settle(self._catalog, indexes)

    def _mark(self) -> None:
        if not self._marked:
            with self._catalog.transaction() as connection:
                writing.set_value(connection, "clean", "")
            self._marked = True

    def _note_clean(self, number: int) -> None:
        with self._catalog.snapshot() as snapshot:
            noted = snapshot.value("clean")
        files = str(self._place.vector_files(number))
        if noted != files:
            with suppress(LibraryError), self._catalog.transaction() as connection:
                writing.set_value(connection, "clean", files)
