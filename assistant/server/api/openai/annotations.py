"""Turn citations into annotations of the answer's text. Offsets count Unicode code points, as everywhere in Attest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assistant.types import Answer, Claim, Evidence, Source


def response_annotations(answer: Answer, text: str) -> list[dict[str, Any]]:
    """Return the annotations of ``output_text``: `text` is the answer's, or its beginning.

    A document with a web address is a ``url_citation`` of the claim's words; any other is a ``file_citation``, whose
    `index` is where the claim ends. Annotations don't contain the claims' text: that is
    ``text[start_index:end_index]``.
    """
    return [
        _file(claim, item) if _address(item.document) is None else _url(claim, item)
        for claim, item in _cited(answer, text)
    ]


def chat_annotations(answer: Answer, text: str, base_url: str) -> list[dict[str, Any]]:
    """Return the annotations of a chat message, which only has citations of addresses.

    A document without an address is cited by its address in this API, below `base_url`.
    """
    found = []
    for claim, item in _cited(answer, text):
        url = _address(item.document) or f"{base_url}api/documents/{item.document.id}"
        found.append({"type": "url_citation", "url_citation": _citation(claim, item, url)})
    return found


def _cited(answer: Answer, text: str) -> Iterator[tuple[Claim, Evidence]]:
    evidence = {item.key: item for item in answer.evidence}
    for claim in answer.claims:
        if claim.start < claim.end <= len(text):  # neither withheld nor after the cut
            yield from ((claim, evidence[key]) for key in claim.citations if key in evidence)


def _citation(claim: Claim, item: Evidence, url: str) -> dict[str, Any]:
    return {"start_index": claim.start, "end_index": claim.end, "title": item.document.title, "url": url}


def _url(claim: Claim, item: Evidence) -> dict[str, Any]:
    return {"type": "url_citation", **_citation(claim, item, _address(item.document) or "")}


def _file(claim: Claim, item: Evidence) -> dict[str, Any]:
    return {
        "type": "file_citation",
        "index": claim.end,
        "file_id": item.document.id,
        "filename": filename(item.document),
        "start_index": claim.start,
        "end_index": claim.end,
    }


def filename(source: Source) -> str:
    """Return the last part of a document's address, else its title."""
    return (source.uri or "").replace("\\", "/").rstrip("/").rpartition("/")[2] or source.title


def _address(source: Source) -> str | None:
    return source.uri if (source.uri or "").startswith(("http://", "https://")) else None
