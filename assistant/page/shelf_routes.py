"""The library's addresses: list, upload, describe, remove and bring back, and pictures of what is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from assistant.page.render import language_name
from assistant.page.settings import MEBIBYTE, PageSettings
from assistant.page.shelf import Shelf
from assistant.page.words import Words
from store.errors import RequestError
from store.types import Document

MAPPED_DOCUMENTS = 5_000
"""Documents whose dates the map reads at most."""
SHOWN_SPEAKERS = 12


def shelf_router(shelf: Shelf, settings: PageSettings) -> APIRouter:
    """Routes under ``/library``."""
    router = APIRouter(prefix="/library")

    @router.get("/documents")
    def documents(words: Words, after: str | None = None, find: str = "", limit: int = 50) -> dict[str, Any]:
        found, following = shelf.found(find[:200], after, max(1, min(limit, 200)))
        return {"documents": [_listed(item, words.language) for item in found], "next": following}

    @router.get("/map")
    def library_map(words: Words) -> dict[str, Any]:
        statistics = shelf.library.statistics()
        page = shelf.library.documents(limit=MAPPED_DOCUMENTS)
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

    @router.get("/intake")
    def intake() -> list[dict[str, Any]]:
        return [asdict(item) for item in shelf.items()]

    @router.post("/files")
    async def upload(request: Request, name: str) -> dict[str, Any]:
        try:
            path = shelf.place(name, settings.upload_suffixes if settings.uploads else ())
            await _received(request, path, settings.max_upload_bytes)
        except RequestError as error:
            return asdict(shelf.refuse(name, str(error)))
        return asdict(shelf.take(path))

    @router.post("/embed")
    def embed(words: Words) -> dict[str, Any]:
        return asdict(shelf.embed_anew(words("library.embed")))

    @router.patch("/documents/{document_id}")
    def describe(
        document_id: str,
        words: Words,
        title: Annotated[str, Body()],
        speaker: Annotated[str | None, Body()] = None,
        published: Annotated[str | None, Body()] = None,
    ) -> dict[str, Any]:
        return _listed(shelf.describe(document_id, title, speaker, published), words.language)

    @router.delete("/documents/{document_id}")
    def remove(document_id: str, words: Words) -> dict[str, Any]:
        return _listed(shelf.remove(document_id), words.language)

    @router.post("/documents/{document_id}/back")
    def bring_back(document_id: str, words: Words) -> dict[str, Any]:
        return _listed(shelf.bring_back(document_id), words.language)

    return router


async def _received(request: Request, path: Path, limit: int) -> None:
    """Write the body of a request to `path`, whole or not at all. Raises RequestError past `limit` bytes."""
    partial = path.with_name(f".{path.name}.part")
    size = 0
    try:
        with partial.open("wb") as file:
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise RequestError(f"{path.name} is larger than the limit of {limit // MEBIBYTE} MiB.")
                file.write(piece)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _listed(document: Document, language: str) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "speaker": document.speaker,
        "published": document.published,
        "language": language_name(document.language, language),
        "tag": document.language,
        "passages": document.passage_count,
        "name": document.uri.replace("\\", "/").rsplit("/", 1)[-1],
    }
