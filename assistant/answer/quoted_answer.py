"""Turn evidence into the text of a quotes answer: name the speaker of each quote, in the question's language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from assistant.types import Claim, Evidence, Notice, ShortAnswer
from prompts import phrase
from store.types import Document

NEAREST = 3
"""Documents named where nothing answers."""
_MARKS = regex.compile(r"(\S\s?)¤(\s?\S)")
"""The marks around the quote in a frame, where it is ``¤``."""


def shortened(evidence: Sequence[Evidence], answer: ShortAnswer | None, language: str) -> Iterator[Evidence]:
    """Yield the quotes that have words of the short answer, each with these alone: several in marks of their own."""
    if answer is None:
        return
    marks = _MARKS.search(phrase("frame", language).render(speaker="", quote="¤", key=1))
    between = f"{marks[2]}, {marks[1]}" if marks else ", "
    for item in evidence:
        if words := between.join(span.text for span in answer.spans if span.key == item.key):
            yield item.model_copy(update={"quote": words})


def framed(evidence: Evidence, language: str, offset: int) -> Claim:
    """One quote with its speaker and its marker, standing at `offset` of the answer's text."""
    speaker = evidence.document.speaker or evidence.document.title
    text = phrase("frame", language).render(speaker=speaker, quote=evidence.quote, key=evidence.key)
    return Claim(text=text, start=offset, end=offset + len(text), citations=(evidence.key,), support="quoted")


def no_answer(language: str, nearest: Sequence[Document]) -> str:
    """That the documents don't answer, naming those that came closest."""
    titles = "; ".join(f"“{document.title}”" for document in nearest[:NEAREST])
    return phrase("no_answer", language).render(titles=titles)


def not_said(language: str, nearest: Evidence) -> str:
    """Return that the documents speak of the subject without an answer, with what comes closest."""
    speaker = nearest.document.speaker or nearest.document.title
    return phrase("not_said", language).render(speaker=speaker, key=nearest.key)


def missing(language: str, names: Sequence[str]) -> str:
    """Return that the documents don't have what the question names by a number or a code."""
    return phrase("missing", language).render(names=", ".join(names))


def empty_library(language: str) -> str:
    """That there is nothing to answer from."""
    return phrase("empty_library", language).render()


def notices(evidence: Sequence[Evidence], language: str) -> tuple[Notice, ...]:
    """What the reader should know about the quotes together."""
    speakers = {each.document.speaker for each in evidence}
    speaker = next(iter(speakers), None)
    if len(speakers) != 1 or speaker is None:
        return ()
    message = phrase("single_speaker", language).render(speaker=speaker)
    return (Notice(code="single_speaker", message=message),)
