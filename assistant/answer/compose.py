"""Evidence to the text of a quotes answer: each quote framed by who says it, in the question's language."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.types import Claim, Evidence, Notice
from prompts import phrase
from store.types import Document

NEAREST = 3
"""Documents named where nothing answers."""


def framed(evidence: Evidence, language: str, offset: int) -> Claim:
    """One quote with its speaker and its marker, standing at `offset` of the answer's text."""
    speaker = evidence.document.speaker or evidence.document.title
    text = phrase("frame", language).render(speaker=speaker, quote=evidence.quote, key=evidence.key)
    return Claim(text=text, start=offset, end=offset + len(text), citations=(evidence.key,), support="quoted")


def no_answer(language: str, nearest: Sequence[Document]) -> str:
    """That the documents don't answer, naming those that came closest."""
    titles = "; ".join(f"“{document.title}”" for document in nearest[:NEAREST])
    return phrase("no_answer", language).render(titles=titles)


def empty_library(language: str) -> str:
    """That there is nothing to answer from."""
    return phrase("empty_library", language).render()


def notices(evidence: Sequence[Evidence], language: str) -> tuple[Notice, ...]:
    """What the reader should know about the quotes together."""
    speakers = {each.document.speaker or each.document.title for each in evidence}
    if len(speakers) != 1:
        return ()
    message = phrase("single_speaker", language).render(speaker=speakers.pop())
    return (Notice(code="single_speaker", message=message),)
