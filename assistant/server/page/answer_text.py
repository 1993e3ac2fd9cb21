"""Render the text of an answer as HTML: claims with their support, quoted words, and markers that open a source.

Every word that comes from outside is escaped here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from html import escape

from assistant.server.strings import Strings
from assistant.types import Claim, Evidence
from store.types import Span

_MARK = re.compile(r"\[(\d{1,4})\]")


def answer_text(text: str, claims: Sequence[Claim], evidence: Sequence[Evidence], words: Strings) -> str:
    """Return the text with its claims, quotes and markers made visible; each line is a paragraph.

    Markers without evidence stay plain text, because there is nothing to open.
    """
    by_key = {item.key: item for item in evidence}
    quotes = list(_quotes(text, claims, by_key))
    marks = [(Span(*found.span()), int(found[1])) for found in _MARK.finditer(text) if int(found[1]) in by_key]
    edges = {0, len(text)}
    for span in [*(span for span, _ in quotes), *(span for span, _ in marks)]:
        edges |= {span.start, span.end}
    edges |= {edge for claim in claims for edge in (claim.start, claim.end)}
    edges |= {edge for found in re.finditer("\n", text) for edge in found.span()}
    ordered = sorted(edge for edge in edges if 0 <= edge <= len(text))

    paragraphs: list[str] = []
    line = ""
    open_claim: Claim | None = None
    for start, end in itertools.pairwise(ordered):
        if text[start:end] == "\n":
            paragraphs.append(line + _claim_end(open_claim, start, words))
            line, open_claim = "", None
            continue
        claim = next((claim for claim in claims if claim.start <= start and end <= claim.end), None)
        if claim is not open_claim:
            line += _claim_end(open_claim, start, words) + (_claim_tag(claim) if claim else "")
            open_claim = claim
        line += _piece(text[start:end], Span(start, end), quotes, marks, by_key, words)
    paragraphs.append(line + _claim_end(open_claim, len(text), words))
    return "".join(f'<p dir="auto">{line}</p>' for line in paragraphs if line.strip())


def marker(item: Evidence, words: Strings) -> str:
    """Return the button that opens a quote in its document."""
    label = words("evidence.mark", key=item.key, title=item.document.title)
    return (
        f'<button class="mark" data-do="source.open" data-key="{item.key}" aria-label="{escape(label)}">'
        f"{item.key}</button>"
    )


def _claim_tag(claim: Claim) -> str:
    keys = " ".join(str(key) for key in claim.citations)
    return f'<span class="claim" data-support="{claim.support}" data-keys="{keys}">'


def _claim_end(claim: Claim | None, at: int, words: Strings) -> str:
    """Return the end of a claim's words on this line; after the last ones, also its problem."""
    if claim is None:
        return ""
    if claim.support != "unsupported" or at < claim.end:
        return "</span>"
    label = words("support.unsupported")
    reason = f". {words('support.reason', reason=claim.reason)}" if claim.reason else ""
    return f'</span> <span class="why">({escape(label + reason)})</span>'


def _piece(
    words_here: str,
    span: Span,
    quotes: Sequence[tuple[Span, Evidence]],
    marks: Sequence[tuple[Span, int]],
    by_key: dict[int, Evidence],
    words: Strings,
) -> str:
    for mark, key in marks:
        if mark == span:
            return marker(by_key[key], words)
    for quote, item in quotes:
        if quote.start <= span.start and span.end <= quote.end:
            return f'<q lang="{escape(item.language)}" data-key="{item.key}">{escape(words_here)}</q>'
    return escape(words_here)


def _quotes(text: str, claims: Sequence[Claim], by_key: dict[int, Evidence]) -> Iterator[tuple[Span, Evidence]]:
    """Yield where the text contains the exact words of a quote that the claim there cites."""
    taken: list[Span] = []
    for item in by_key.values():
        places = [Span(claim.start, claim.end) for claim in claims if item.key in claim.citations]
        for place in places or [Span(0, len(text))]:
            at = text.find(item.quote, place.start, place.end) if item.quote else -1
            span = Span(at, at + len(item.quote))
            if at >= 0 and not any(other.overlaps(span) for other in taken):
                taken.append(span)
                yield span, item
                break
