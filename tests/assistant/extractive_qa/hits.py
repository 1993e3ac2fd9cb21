"""Found passages for tests, made in one line."""

from __future__ import annotations

from ingest.sentences import sentences as split_sentences
from store.types import Document, Hit, Passage, SearchResult, SentenceHit, Span


def hit(text: str, language: str = "en", *, title: str = "Notes", scores: tuple[float, ...] = (), rank: int = 1) -> Hit:
    spans = split_sentences(text, language)
    scores = scores or (0.5,) * len(spans)
    document = Document(f"d{rank}", f"notes-{rank}", title, language, "0", "0")
    passage = Passage(f"d{rank}.0", document.id, 0, 0, len(text), language, spans)
    sentences = tuple(SentenceHit(span, 0.5, 0.5, score) for span, score in zip(spans, scores, strict=True))
    return Hit(rank, passage, document, text, 0.5, 0.5, 0.5, sentences)


def found(*hits: Hit, query: str = "?", language: str = "en") -> SearchResult:
    return SearchResult(query, language, hits)


def words(one: Hit, span: Span) -> str:
    return one.text[span.start : span.end]
