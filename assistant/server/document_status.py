"""Determine each document's state: ready, embedded by another model, file changed or gone, or read by an older version.

It reports only what is cheap to find out. A file is hashed when its size or time has changed, and only up to a number of
bytes per list; a larger file is never checked. An unchecked file counts as ready, because answers quote a document
as it was added.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.server.page_settings import MEBIBYTE
from ingest.reread import read_by_older_version
from store.errors import AttestError, EmbedderMismatchError
from store.types import Document

if TYPE_CHECKING:
    from store.library import Library

Standing = Literal["ready", "changed", "gone", "older", "embed"]
HASHED_BYTES = 64 * MEBIBYTE
"""Bytes of files to hash per list: about a tenth of a second."""
_KEPT = 10_000
"""Files whose hashes are remembered."""
_AGAIN = 60.0
"""Seconds until a library that didn't fit its model is checked again, because that loads the model."""


class Standings:
    """Knows the state of each document of one library. Used by any thread."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._known: OrderedDict[tuple[str, int, int], str] = OrderedDict()
        self._lock = threading.Lock()
        self._misfit = float("-inf")

    def of(self, documents: Sequence[Document]) -> list[Standing]:
        """Return the state of each of the documents."""
        if self._needs_embedding():
            return ["embed"] * len(documents)
        left = HASHED_BYTES
        older = read_by_older_version(self._library, documents)
        found: list[Standing] = []
        for document in documents:
            standing, read = self._of_file(document, left)
            left -= read
            found.append("older" if standing == "ready" and document.id in older else standing)
        return found

    def forget(self) -> None:
        """Check the model again at the next list, because all was embedded again."""
        self._misfit = float("-inf")

    def _needs_embedding(self) -> bool:
        if time.monotonic() - self._misfit < _AGAIN:
            return True
        try:
            _ = self._library.embedder  # loaded already, unless it doesn't fit
        except EmbedderMismatchError:
            self._misfit = time.monotonic()
            return True
        except AttestError:  # there is none: the first question says so
            return False
        return False

    def _of_file(self, document: Document, most: int) -> tuple[Standing, int]:
        """Return the state of the document's own file, and how many bytes were read for it."""
        path = Path(document.uri)
        if not path.is_absolute():  # a sample, or named by another program
            return "ready", 0
        try:
            stat = path.stat()
            key = (document.uri, stat.st_mtime_ns, stat.st_size)
            with self._lock:
                digest = self._known.get(key)
            read = 0
            if digest is None:
                if not path.is_file() or stat.st_size > most:
                    return "ready", 0
                with path.open("rb") as file:
                    digest, read = hashlib.file_digest(file, "sha256").hexdigest(), stat.st_size
                self._remember(key, digest)
        except (FileNotFoundError, NotADirectoryError):
            return "gone", 0
        except (OSError, ValueError):  # not readable by us, or no path here
            return "ready", 0
        return ("ready" if digest == document.original_sha256 else "changed"), read

    def _remember(self, key: tuple[str, int, int], digest: str) -> None:
        with self._lock:
            self._known[key] = digest
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
