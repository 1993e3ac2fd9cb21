"""The library's addresses: list, upload, describe, remove and bring back, and pictures of what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from secrets import token_hex
from threading import BoundedSemaphore
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Body, Request

from assistant.server.auth.permissions import require
from assistant.server.auth.scoped_access import Collections, scoped_library
from assistant.server.dependencies import Guest, Words
from assistant.server.document_status import Standing, Standings
from assistant.server.error_messages import error_message
from assistant.server.page.evidence_html import language_name
from assistant.server.page.file_warnings import told_signs
from assistant.server.settings import MEBIBYTE, PageSettings
from assistant.server.strings import Strings
from assistant.server.uploads import DocumentEditor, Item, safe_name
from store.errors import RequestError
from store.types import Document

MAPPED_DOCUMENTS = 5_000
"""Documents whose dates the map reads at most."""
SHOWN_SPEAKERS = 12
LONGEST_ADDRESS = 2_000
FETCHED_AT_ONCE = 2
"""Documents from the web: each holds a thread of the server until it is there."""

_STATES: dict[Standing, dict[str, str]] = {
    "ready": {"label": "state.ready"},
    "changed": {"label": "state.changed", "why": "state.changed.why"},
    "gone": {"label": "state.gone", "why": "state.gone.why"},
    "older": {"label": "state.older", "why": "state.older.why"},
    "embed": {"label": "state.embed", "why": "state.embed.why"},
}


def shelf_router(editor: DocumentEditor, settings: PageSettings) -> APIRouter:
    """Routes under ``/library``."""
    router = APIRouter(prefix="/library")
    fetching = BoundedSemaphore(FETCHED_AT_ONCE)
    standings = Standings(editor.library)
    editor.embedded_anew = standings.forget

    def one(document: Document, words: Strings) -> dict[str, Any]:
        (standing,) = standings.of([document])
        return _listed(document, words, standing)

    @router.get("/documents", dependencies=[require("ask")])
    def documents(
        words: Words, guest: Guest, after: str | None = None, find: str = "", limit: int = 50
    ) -> dict[str, Any]:
        found, following = editor.found(find[:200], after, max(1, min(limit, 200)), guest.collections)
        listed = [_listed(item, words, how) for item, how in zip(found, standings.of(found), strict=True)]
        return {"documents": listed, "next": following}

    @router.get("/map", dependencies=[require("ask")])
    def library_map(words: Words, guest: Guest) -> dict[str, Any]:
        library = scoped_library(editor.library, guest.collections)
        statistics = library.statistics()
        page = library.documents(limit=MAPPED_DOCUMENTS)
        years = Counter((item.published or "")[:4] for item in page.documents)
        return {
            "languages": [
                [language_name(tag, words.language), count]
                for tag, count in Counter(statistics.languages).most_common()
            ],
            "speakers": Counter(statistics.speakers).most_common(SHOWN_SPEAKERS),
            "years": sorted([year or words("unknown.date"), count] for year, count in years.items()),
            "documents": statistics.documents,
            "passages": statistics.passages,
            "characters": statistics.characters,
            "mapped": len(page.documents),
        }

    @router.get("/intake", dependencies=[require("add")])
    def intake(words: Words, guest: Guest) -> list[dict[str, Any]]:
        return [_row(item, words) for item in editor.items(guest.collections)]

    @router.post("/files", dependencies=[require("add")])
    async def upload(request: Request, name: str, words: Words, guest: Guest) -> dict[str, Any]:
        try:
            path = editor.place(name, settings.upload_suffixes if settings.uploads else (), guest.collections)
            await _received(request, path, settings.max_upload_bytes)
        except RequestError as error:
            return _row(editor.refuse(safe_name(name), error, guest.collections), words)
        return _row(editor.take(path, guest.collections), words)

    @router.post("/address", dependencies=[require("add")])
    def fetch(
        address: Annotated[str, Body(embed=True, max_length=LONGEST_ADDRESS)], words: Words, guest: Guest
    ) -> dict[str, Any]:
        if not (settings.uploads and editor.accepts_files) or settings.web_uploads == "off":
            raise RequestError(
                "Documents aren't fetched from the web here; whoever runs this page can allow it.", code="web_off"
            )
        if not fetching.acquire(blocking=False):
            busy = RequestError("Other documents are being fetched; add this one in a moment.", code="web_busy")
            return _row(editor.refuse(address, busy, guest.collections), words)
        try:
            path = _from_web(address, editor, settings, guest.collections)
        except RequestError as error:
            return _row(editor.refuse(address, error, guest.collections), words)
        finally:
            fetching.release()
        return _row(editor.take(path, guest.collections), words)

    @router.post("/embed", dependencies=[require("administer")])
    def embed(words: Words) -> dict[str, Any]:
        return _row(editor.embed_anew(words("library.embed")), words)

    @router.patch("/documents/{document_id}", dependencies=[require("add")])
    def describe(
        document_id: str,
        words: Words,
        guest: Guest,
        title: Annotated[str, Body()],
        speaker: Annotated[str | None, Body()] = None,
        published: Annotated[str | None, Body()] = None,
    ) -> dict[str, Any]:
        return one(editor.describe(document_id, title, speaker, published, guest.collections), words)

    @router.delete("/documents/{document_id}", dependencies=[require("add")])
    def remove(document_id: str, words: Words, guest: Guest) -> dict[str, Any]:
        return one(editor.remove(document_id, guest.collections), words)

    @router.post("/documents/{document_id}/back", dependencies=[require("add")])
    def bring_back(document_id: str, words: Words, guest: Guest) -> dict[str, Any]:
        return one(editor.bring_back(document_id, guest.collections), words)

    return router


async def _received(request: Request, path: Path, limit: int) -> None:
    """Write the body of a request to `path`, whole or not at all. Raises RequestError past `limit` bytes."""
    size = 0
    with whole_file(path) as file:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise RequestError(
                    "{name} is larger than the limit of {size} MiB.",
                    code="large",
                    name=path.name,
                    size=limit // MEBIBYTE,
                )
            file.write(piece)


def _from_web(address: str, editor: DocumentEditor, settings: PageSettings, reach: Collections) -> Path:
    """The document at `address` as a file, whole or not at all. Raises RequestError."""
    from assistant.server.web_fetch import Limits, fetched, is_public

    limits = Limits(settings.max_upload_bytes, settings.upload_suffixes, settings.web_seconds)
    admits = is_public if settings.web_uploads == "public" else lambda _: True
    with fetched(address, limits, admits) as document:
        path = editor.place(document.name, settings.upload_suffixes, reach)
        with whole_file(path) as file:
            file.writelines(document.pieces)
    return path


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is at `path` once all is written, and isn't if anything fails."""
    # Of a name of its own: two may send files of one name at the same time.
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


def _row(item: Item, words: Strings) -> dict[str, Any]:
    row = {each.name: getattr(item, each.name) for each in fields(item)}
    return row | {"error": error_message(item.error, words) if item.error else ""}


def _listed(document: Document, words: Strings, standing: Standing) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "speaker": document.speaker,
        "published": document.published,
        "language": language_name(document.language, words.language),
        "tag": document.language,
        "passages": document.passage_count,
        "signs": told_signs(document, words),
        "state": {"name": standing} | {name: words(key) for name, key in _STATES[standing].items()},
        "name": document.uri.replace("\\", "/").rsplit("/", 1)[-1],
    }
