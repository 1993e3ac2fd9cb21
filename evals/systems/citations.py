"""Find the sources of a chat reply, wherever servers put them.

It knows OpenAI's annotations, Azure's context, the lists of Perplexity and Open WebUI, and a list of sources at the end
of the text. Markers such as ``[2]`` refer to the list; a reply with sources but without markers cites them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import regex

from evals.systems.base import Citation

_LISTS = ("citations", "sources", "search_results", "references", "documents", "context")
_NAMES = ("filename", "file_name", "title", "name", "filepath", "file_path", "path", "id", "document_id", "file_id")
_ADDRESSES = ("url", "uri", "link", "source", "filepath", "file_path", "path")
_QUOTES = ("quote", "cited_text")
_NESTED = ("url_citation", "file_citation", "file_path", "document", "source", "metadata")
_REFERENCE = regex.compile(r"^\s*(?:[-*]\s*)?\[(?:\^)?(\d+)\]:?\s+(\S.*?)\s*$", regex.MULTILINE)
_LINK = regex.compile(r"\[([^\]]+)\]\(([^)\s]+)\)|(https?://\S+)")


def chat_citations(message: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Citation, ...] | None:
    """Return the sources of a chat completion in the order of its markers; None if it names none."""
    annotations = message.get("annotations")
    if isinstance(annotations, list) and annotations:
        return tuple(dict.fromkeys(map(citation_of, annotations)))
    for holder in (message, message.get("context"), body):
        found = [holder[name] for name in _LISTS if name in holder] if isinstance(holder, dict) else []
        listed = next((each for each in found if isinstance(each, list) and each), None)
        if listed is not None:
            return tuple(map(citation_of, listed))
    return None


def citation_of(value: object) -> Citation:
    """Return one source: a text that names it, or a mapping with any of the usual keys."""
    if not isinstance(value, dict):
        text = str(value)
        return Citation(uri=text) if "://" in text else Citation(name=text)
    flat = {**{name: each for key in _NESTED if isinstance(value.get(key), dict) for name, each in value[key].items()}}
    flat |= {name: each for name, each in value.items() if isinstance(each, str | int)}
    return Citation(name=_first(flat, _NAMES), uri=_first(flat, _ADDRESSES), quote=_first(flat, _QUOTES))


def split_references(text: str) -> tuple[str, tuple[Citation, ...] | None]:
    """Return a text without the numbered list of sources at its end, and that list; None if it has none."""
    found = list(_REFERENCE.finditer(text))
    numbers = [int(match[1]) for match in found]
    if not found or numbers != list(range(1, len(found) + 1)):
        return text, None
    start = found[0].start()
    heading = regex.search(r"\n[^\n]{0,40}[:：]?\s*$", text[:start])
    end = heading.start() if heading is not None and heading.group().strip() else start
    return text[:end].rstrip(), tuple(_reference(match[2]) for match in found)


def _reference(line: str) -> Citation:
    link = _LINK.search(line)
    if link is None:
        return Citation(name=line)
    return Citation(name=link[1] or line[: link.start()].strip(" -–—:"), uri=(link[2] or link[3]).rstrip(".,"))


def marked_text(text: str, citations: Sequence[Citation], markers: Iterator[int]) -> str:
    """Return `text` with a marker for every citation at its end, unless it has markers for some of them."""
    if any(1 <= number <= len(citations) for number in markers):
        return text
    return text + "".join(f" [{number}]" for number in range(1, len(citations) + 1))


def _first(value: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((str(value[name]) for name in names if value.get(name) not in (None, "")), "")
