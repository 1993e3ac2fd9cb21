"""Convert another assistant's reply for the same metrics, without scores for what it doesn't report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import regex
import yaml

from assistant.types import Answer, Evidence, Source
from evals.expectations import ends_with_path, names
from evals.metrics.citations import MARKER
from evals.systems.base import Citation, Reply, Sources
from evals.systems.citations import marked_text
from evals.text import base_language, fold
from evals.types import ASPECTS, Aspect, Gold, QuoteCheck, Ranked, TurnResult
from store.text.language import UNKNOWN, detect_language

REFUSAL_LENGTH = 200
"""Characters at the beginning of a reply in which a refusal would be."""
SEARCHED = 5
"""Passages to search for a quote, if the reply's document isn't known."""


def result_of(
    result: TurnResult, reply: Reply, gold: Sequence[Gold], library: Sources, latency_ms: float
) -> TurnResult:
    """Return `result` with a reply. `gold` are the library's documents that the turn names in any way."""
    if reply.answer is not None:
        checks = tuple(_check_at_offsets(library, evidence) for evidence in reply.answer.evidence)
        return result.model_copy(
            update={"answer": reply.answer, "given": ASPECTS, "checks": checks, "latency_ms": latency_ms}
        )
    language = _language(reply.text, result.question)
    answered = reply.answered if reply.answered is not None else _answers(reply.text, language)
    citations = reply.citations or ()
    evidence = tuple(
        _evidence(number, citation, _source(citation, gold)) for number, citation in enumerate(citations, 1)
    )
    given: list[Aspect] = []
    if answered is not None:
        given.append("answered")
    if reply.confidence is not None:
        given.append("confidence")
    if reply.citations is not None:
        given.append("citations")
    if any(citation.quote for citation in citations):
        given.append("quotes")
    answer = Answer(
        question=result.question,
        standalone_question=result.question,
        language=language,
        answered=answered is not False,
        confidence=reply.confidence if reply.confidence is not None else 0.0,
        mode="written",
        text=marked_text(reply.text, citations, _markers(reply.text)),
        evidence=evidence,
        timings_ms={},
    )
    return result.model_copy(
        update={
            "answer": answer,
            "given": tuple(given),
            "checks": tuple(_check(library, each) for each in evidence if each.quote),
            "ranking": _ranking(reply, gold),
            "latency_ms": latency_ms,
        }
    )


def _language(text: str, question: str) -> str:
    found = detect_language(text)
    return found if found != UNKNOWN else detect_language(question)


def _answers(text: str, language: str) -> bool | None:
    """Return whether a reply answers, by the usual beginnings of refusals in its language; None for other languages."""
    patterns = _refusals().get(base_language(language))
    if patterns is None:
        return None
    start = fold(text[:REFUSAL_LENGTH])
    return bool(start) and not any(pattern.search(start) for pattern in patterns)


@cache
def _refusals() -> dict[str, tuple[regex.Pattern[str], ...]]:
    read = yaml.safe_load(Path(__file__).with_name("refusals.yaml").read_text(encoding="utf-8"))
    return {language: tuple(regex.compile(fold(each)) for each in patterns) for language, patterns in read.items()}


def _markers(text: str) -> Iterator[int]:
    return (int(number) for found in MARKER.findall(text) for number in regex.split(r"\D+", found))


def _source(citation: Citation, gold: Sequence[Gold]) -> Source:
    """Return the source that a citation names: the library's document, if the turn names the same one."""
    said = Source(
        id=citation.name or citation.uri,
        title=citation.name or citation.uri,
        uri=citation.uri or None,
        language=UNKNOWN,
        sha256="",
    )
    meant = next((each for each in gold if _means(said, each)), None)
    if meant is None:
        return said
    title, uri = meant.aliases if len(meant.aliases) == 2 else (meant.name, meant.name)
    return said.model_copy(update={"id": meant.key, "title": title, "uri": uri, "language": meant.language or UNKNOWN})


def _means(said: Source, gold: Gold) -> bool:
    """Return whether a citation names this document, by its id, its title, or the end of its path or address."""
    known = (gold.key, gold.name, *gold.aliases)
    given = [text for text in (said.id, said.uri) if text]
    return any(names(said, name) or any(ends_with_path(name, text) for text in given) for name in known)


def _evidence(number: int, citation: Citation, source: Source) -> Evidence:
    return Evidence(
        key=number,
        document=source,
        passage_id="",
        start=0,
        end=len(citation.quote),
        quote=citation.quote,
        language=source.language,
        score=0.0,
    )


def _ranking(reply: Reply, gold: Sequence[Gold]) -> tuple[Ranked, ...] | None:
    """Return the documents that it retrieved, if the turn has relevant documents to find."""
    if reply.ranking is None or not gold:
        return None
    sources = [_source(citation, gold) for citation in reply.ranking]
    return tuple(
        Ranked(
            document_id=source.id, passage_id="", language=source.language, score=1 / rank, uri=source.uri or source.id
        )
        for rank, source in enumerate(sources, 1)
    )


def _check(library: Sources, evidence: Evidence) -> QuoteCheck:
    """Look a quote up in the library. The other side gives no offsets, so any position in a document counts."""
    found = any(
        evidence.quote in library.text(hit.document.id) for hit in library.search(evidence.quote, SEARCHED).hits
    )
    return QuoteCheck(key=evidence.key, words=evidence.quote if found else None, occurs=found, announced=True)


def _check_at_offsets(library: Sources, evidence: Evidence) -> QuoteCheck:
    from evals.ask import quote_check

    return quote_check(library, evidence, (evidence,))
