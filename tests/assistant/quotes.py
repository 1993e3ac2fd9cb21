"""Evidence for tests, made in one line."""

from __future__ import annotations

from assistant.types import Evidence, Source


def quote(
    key: int, text: str, language: str = "en", *, title: str = "Notes", speaker: str | None = None, published: str = ""
) -> Evidence:
    source = Source(id="d", title=title, speaker=speaker, published=published or None, language=language, sha256="0")
    return Evidence(
        key=key,
        document=source,
        passage_id=f"p{key}",
        start=0,
        end=len(text),
        quote=text,
        language=language,
        score=1.0,
    )
