"""Extract what an answer says in its own words: its text without its quotes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import regex

from assistant.types import Answer, Claim
from evals.metrics.citations import QUOTED, cited_evidence
from evals.text import contains, same_language, without_markers, words
from store.text.language import UNKNOWN, detect_language

_BLANK = "\N{NO-BREAK SPACE}"
ENOUGH_WORDS = 2
"""With fewer different words of its own, a text doesn't show its language."""


def comparable_text(answer: Answer) -> str:
    """Return the text to compare with a whole gold answer: the short answer in quotes mode, otherwise the text."""
    if answer.mode == "quotes" and answer.short_answer is not None:
        return " ".join(span.text for span in answer.short_answer.spans)
    return without_markers(answer.text)


def own_words(answer: Answer) -> str:
    """Return the text with each quote and translation blanked; offsets stay valid."""
    text = answer.text
    quotes = [quote for evidence in answer.evidence for quote in (evidence.quote, evidence.translation) if quote]
    for quote in sorted(quotes, key=len, reverse=True):
        text = text.replace(quote, _BLANK * len(quote))
    return text


def other_language(answer: Answer, wanted: str) -> str | None:
    """Return the language of the answer, if it differs from `wanted`; None if it doesn't.

    It checks the language that the answer states, and that of its own words. Names of sources and speakers don't count,
    and neither does text in quotation marks: titles, and the sources' own words, which a quote must not translate.
    """
    if not same_language(answer.language, wanted):
        return answer.language
    text = without_markers(QUOTED.sub(" ", own_words(answer)))
    named = [*(evidence.document for evidence in answer.evidence), *answer.documents]
    names = {name for source in named for name in (source.title, source.speaker) if name}
    for name in sorted({*names, *(section.title for section in answer.sections)}, key=len, reverse=True):
        text = text.replace(name, " ")
    if len(set(words(text))) < ENOUGH_WORDS:
        return None
    found = detect_language(text)
    return None if found == UNKNOWN or same_language(found, wanted) else found


def unattributed(answer: Answer, names: Sequence[str]) -> str | None:
    """Return why the answer doesn't attribute its claims to this speaker; None if it does.

    `names` are names of one speaker. Each claim that is based on a document of the speaker must come after the name:
    the last speaker named before the claim ends, outside quotes, is this one. Without such claims, some claim must come
    after the name.
    """
    prose = own_words(answer)
    if not any(contains(prose, name) for name in names):
        quoted = any(contains(answer.text, name) for name in names)
        return "the name stands only inside a quote" if quoted else "the name does not occur"
    own = [claim for claim in answer.claims if _rests_on(answer, claim, names)]
    others = {
        evidence.document.speaker
        for evidence in cited_evidence(answer)
        if evidence.document.speaker and not _is_one_of(evidence.document.speaker, names)
    }
    for claim in own:
        if not _under(prose, claim, names, others):
            return f"“{claim.text[:80]}” does not stand under the name"
    if not own and answer.claims and not any(_under(prose, claim, names, others) for claim in answer.claims):
        return "no claim stands under the name"
    return None


def _rests_on(answer: Answer, claim: Claim, names: Sequence[str]) -> bool:
    speakers = (evidence.document.speaker for evidence in answer.evidence if evidence.key in claim.citations)
    return any(speaker is not None and _is_one_of(speaker, names) for speaker in speakers)


def _is_one_of(speaker: str, names: Sequence[str]) -> bool:
    return any(contains(speaker, name) or contains(name, speaker) for name in names)


def _under(prose: str, claim: Claim, names: Sequence[str], others: set[str]) -> bool:
    """Return whether the last speaker named before the end of the claim is this one."""
    # A name may be part of another: of two that end at the same place, the longer one is meant.
    ours = max((_last(prose, name, claim.end) for name in names), default=(-1, 0))
    theirs = max((_last(prose, name, claim.end) for name in others), default=(-1, 0))
    return ours[0] >= 0 and ours >= theirs


def _last(prose: str, name: str, end: int) -> tuple[int, int]:
    """Return (where `name` last ends before `end`, its length), spelled in any case; (-1, 0) if it doesn't occur."""
    found = (0, 0)
    spellings = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    pattern = regex.compile("|".join(map(regex.escape, sorted(spellings))), regex.IGNORECASE)
    for match in pattern.finditer(prose[:end]):
        found = (match.end(), len(name))
    return found if found[1] else (-1, 0)
