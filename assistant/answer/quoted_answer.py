"""Turn evidence into the text of a quotes answer: name the speaker of each quote, in the question's language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from assistant.types import Claim, Evidence, Notice, ShortAnswer
from prompts import phrase
from store.types import Document

NEAREST = 3
"""Documents to name if nothing answers."""
_MARKS = regex.compile(r"(\S\s?)¤(\s?\S)")
"""The marks around the quote in a frame, which is ``¤`` there."""


def shortened(evidence: Sequence[Evidence], answer: ShortAnswer | None, language: str) -> Iterator[Evidence]:
    """Yield the quotes that have words of the short answer, reduced to these words, each with its own marks."""
    if answer is None:
        return
    marks = _MARKS.search(phrase("frame", language).render(speaker="", quote="¤", key=1))
    between = f"{marks[2]}, {marks[1]}" if marks else ", "
    for item in evidence:
        if words := between.join(span.text for span in answer.spans if span.key == item.key):
            yield item.model_copy(update={"quote": words})


def framed(evidence: Evidence, language: str, offset: int) -> Claim:
    """Return one quote with its speaker and its marker, at `offset` in the answer's text."""
    speaker = evidence.document.speaker or evidence.document.title
    text = phrase("frame", language).render(speaker=speaker, quote=evidence.quote, key=evidence.key)
    return Claim(text=text, start=offset, end=offset + len(text), citations=(evidence.key,), support="quoted")


def no_answer(language: str, nearest: Sequence[Document]) -> str:
    """Return that the documents don't answer, with the names of the closest ones."""
    titles = "; ".join(f"“{document.title}”" for document in nearest[:NEAREST])
    return phrase("no_answer", language).render(titles=titles)


def not_said(language: str, nearest: Evidence) -> str:
    """Return that the documents mention the subject without an answer, with the closest sentence."""
    speaker = nearest.document.speaker or nearest.document.title
    return phrase("not_said", language).render(speaker=speaker, key=nearest.key)


def missing(language: str, names: Sequence[str]) -> str:
    """Return that the documents don't have the number or code that the question names."""
    return phrase("missing", language).render(names=", ".join(names))


def empty_library(language: str) -> str:
    """Return that the library is empty."""
    return phrase("empty_library", language).render()


def notices(evidence: Sequence[Evidence], language: str) -> tuple[Notice, ...]:
    """Return the notices about the quotes as a whole."""
    speakers = {each.document.speaker for each in evidence}
    speaker = next(iter(speakers), None)
    if len(speakers) != 1 or speaker is None:
        return ()
    message = phrase("single_speaker", language).render(speaker=speaker)
    return (Notice(code="single_speaker", message=message),)
