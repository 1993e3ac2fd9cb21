"""Receive files for the library, from a request or the web: each is saved completely or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from threading import BoundedSemaphore
from typing import BinaryIO

from assistant.server.auth.scoped_access import Collections
from assistant.server.document_editor import DocumentEditor
from assistant.server.intake import Item
from assistant.server.page_settings import MEBIBYTE, UPLOAD_SUFFIXES, PageSettings
from store.errors import RequestError

_PIECE = 1024 * 1024


def keep_upload(name: str, file: BinaryIO, editor: DocumentEditor, settings: PageSettings, reach: Collections) -> Item:
    """Save an uploaded file and queue it. Raises RequestError for one of another kind, or above the limit."""
    path = editor.place(name, UPLOAD_SUFFIXES, reach)
    _write(path, iter(lambda: file.read(_PIECE), b""), settings.max_upload_bytes)
    return editor.take(path, reach)


class WebDocuments:
    """Fetches documents from the web, a few at a time: each occupies a thread of the server until it is complete."""

    AT_ONCE = 2

    def __init__(self, editor: DocumentEditor, settings: PageSettings) -> None:
        self._editor = editor
        self._settings = settings
        self._fetching = BoundedSemaphore(self.AT_ONCE)

    def keep(self, address: str, reach: Collections) -> Item:
        """Save the document at `address` and queue it. Raises RequestError if it isn't allowed or unavailable."""
        if not self._editor.accepts_files or self._settings.web_uploads == "off":
            raise RequestError(
                "Fetching documents from the web is turned off here; the operator of this page can turn it on.",
                code="web_off",
            )
        if not self._fetching.acquire(blocking=False):
            raise RequestError("Other documents are being fetched; add this one in a moment.", code="web_busy")
        try:
            path = self._fetched(address, reach)
        finally:
            self._fetching.release()
        return self._editor.take(path, reach)

    def _fetched(self, address: str, reach: Collections) -> Path:
        from assistant.server.web_fetch import Limits, fetched, is_public

        settings = self._settings
        limits = Limits(settings.max_upload_bytes, UPLOAD_SUFFIXES, settings.web_seconds)
        admits = is_public if settings.web_uploads == "public" else lambda _: True
        with fetched(address, limits, admits) as document:
            path = self._editor.place(document.name, UPLOAD_SUFFIXES, reach)
            _write(path, document.pieces, settings.max_upload_bytes)
        return path


def _write(path: Path, pieces: Iterable[bytes], limit: int) -> None:
    size = 0
    with _whole_file(path) as file:
        for piece in pieces:
            size += len(piece)
            if size > limit:
                raise RequestError(
                    "{name} is larger than the limit of {size} MiB.",
                    code="large",
                    name=path.name,
                    size=limit // MEBIBYTE,
                )
            file.write(piece)


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that appears at `path` once it is complete, and doesn't if anything fails."""
    # With a unique name, because two people may send files of the same name at the same time.
    partial = path.with_name(f".{token_hex(8)}.part")
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise RequestError(
            "{name} can't be kept: {reason}.",
            code="not_kept",
            name=path.name,
            reason=(error.strerror or "unknown reason").lower(),
        ) from error
    finally:
        partial.unlink(missing_ok=True)
