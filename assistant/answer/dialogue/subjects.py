"""Find the documents about a subject, and the document that a title or a description means."""

from __future__ import annotations

from dataclasses import replace

from assistant.answer.dialogue.turn_parts import plain
from assistant.answer.retrieval import Finder
from store.types import Document, Filter, SearchResult

PASSAGES = 60
"""Passages examined to find documents about a subject."""
NEAR = 0.25
"""How far a document's best passage may score below the best of all, for the document to be about the subject too."""
SAME_TITLE = 0.5
"""The least share of a description's trigrams in a title for the title to count."""


def documents_about(topic: str, where: Filter, finder: Finder) -> tuple[Document, ...]:
    """Return the documents about `topic`, those that say most about it first; none if the library says nothing."""
    looked = finder.by_search(topic, where, PASSAGES)
    found = looked.passages
    if not found.hits or not (looked.enough or _literally(topic, found)):
        return ()
    best = found.hits[0].score
    near = [hit for hit in found.hits if hit.score >= best - NEAR or _holds_words(topic, hit.text)]
    return tuple({hit.document.id: hit.document for hit in near}.values())


def document_meant(description: str, where: Filter, finder: Finder) -> Document | None:
    """Return the document that `description` names or describes best; None if none is close."""
    looked = finder.by_search(description, where, PASSAGES)
    found = looked.passages
    if not found.hits:
        return None
    best = found.hits[0].score
    scores: dict[str, float] = {}
    documents: dict[str, Document] = {}
    for hit in found.hits:
        documents[hit.document.id] = hit.document
        scores[hit.document.id] = max(scores.get(hit.document.id, -9.0), hit.score - best)
    for key, document in documents.items():
        scores[key] += shared(description, document.title)
    chosen = max(scores, key=lambda key: (scores[key], key))
    named = shared(description, documents[chosen].title) >= SAME_TITLE
    return documents[chosen] if named or looked.enough or _literally(description, found) else None


def shared(description: str, title: str) -> float:
    """Return the share of a description's trigrams that a title has, in [0, 1]."""
    mine, its = trigrams(description), trigrams(title)
    return len(mine & its) / len(mine) if mine else 0.0


def within(where: Filter, document: Document) -> Filter:
    """Return `where` with only this document."""
    return replace(where, documents=(document.id,))


def _literally(topic: str, found: SearchResult) -> bool:
    return any(_holds_words(topic, hit.text) for hit in found.hits)


def _holds_words(topic: str, text: str) -> bool:
    words = plain(topic).strip()
    return len(words) > 2 and words in plain(text)


def trigrams(text: str) -> frozenset[str]:
    """Return the sequences of three characters in the plain form of `text`."""
    bare = " ".join(plain(text).split())
    return frozenset(bare[at : at + 3] for at in range(max(0, len(bare) - 2)))
