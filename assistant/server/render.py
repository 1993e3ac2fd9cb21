"""An answer as HTML: every word that comes from outside is escaped here, in Python.

Each function is pure and returns a fragment; the page's script puts it in place and knows
only its classes and `data-` attributes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import get_args

from assistant.server.strings import Strings
from assistant.types import Answer, Claim, Evidence, Source, Support
from store.catalog.conversations import Feedback, Turn
from store.types import Span

_MARK = re.compile(r"\[(\d{1,4})\]")
SUPPORTS: tuple[Support, ...] = get_args(Support)


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer as far as it has come."""

    evidence: tuple[Evidence, ...] = ()
    text: str = ""
    claims: tuple[Claim, ...] = ()
    language: str = "und"


def turn_article(
    turn: Turn,
    words: Strings,
    versions: Sequence[str] = (),
    feedback: Sequence[Feedback] = (),
) -> str:
    """A whole turn as it is kept: question, answer, quotes and what can be done with them.

    `versions` are the ids of all askings at this place, this one among them, where there are several.
    """
    answer = Answer.model_validate_json(turn.answer) if turn.answer else None
    return (
        f'<article class="turn" data-turn="{escape(turn.id)}" data-parent="{escape(turn.parent or "")}"'
        f' data-state="{turn.state}">'
        f"{_question(turn, words, versions)}"
        f'<div class="reply">{_reply(turn, answer, words, feedback)}</div>'
        f'<section class="evidence" aria-label="{escape(words("evidence.title"))}">'
        f"{evidence_list(answer.evidence, words, answer.answered, feedback, answer.language) if answer else ''}</section>"
        "</article>"
    )


def answer_text(text: str, claims: Sequence[Claim], evidence: Sequence[Evidence], words: Strings) -> str:
    """The text with its claims, quotes and markers made visible; each line is a paragraph.

    Markers that point at no evidence stay plain text: they promise nothing that can be opened.
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


def evidence_list(
    evidence: Sequence[Evidence],
    words: Strings,
    answered: bool = True,
    feedback: Sequence[Feedback] = (),
    language: str = "und",
) -> str:
    """The quotes, best first, each a card that opens its document; translations are in `language`."""
    if not evidence:
        return ""
    title = words("evidence.title" if answered else "evidence.nearest")
    judged = {given.citation for given in feedback if given.verdict == "bad"}
    cards = "".join(_card(item, words, item.key in judged, language) for item in evidence)
    return f'<h3 class="evidence-title">{escape(title)}</h3><ol class="cards">{cards}</ol>'


def draft_body(draft: Draft, words: Strings, hint: str) -> str:
    """An answer in the making: what is written so far, and what is being done."""
    text = answer_text(draft.text, draft.claims, draft.evidence, words) if draft.text else ""
    return (
        f'<div class="answer-text" lang="{escape(draft.language)}">{text}</div>'
        f'<p class="busy"><span class="dots" aria-hidden="true"></span>{escape(words(hint))}</p>'
    )


def source_line(source: Source, words: Strings) -> str:
    """Title, speaker, date, language and page of a document, on one line."""
    details = [
        source.published or words("unknown.date"),
        language_name(source.language, words.language),
        *([words("evidence.page", page=source.page)] if source.page else []),
    ]
    return (
        f'<span class="speaker" dir="auto">{escape(source.speaker or words("unknown.speaker"))}</span>'
        f'<span class="title" dir="auto" lang="{escape(source.language)}">{escape(source.title)}</span>'
        f'<span class="details">{escape(" · ".join(details))}</span>'
    )


def language_name(tag: str, in_language: str) -> str:
    """The name of the language `tag` in the interface's language; the tag itself where it has none."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(in_language).languages.get(tag.split("-", maxsplit=1)[0]) or tag)
    except (UnknownLocaleError, ValueError):
        return tag


def confidence_words(answer: Answer, words: Strings) -> str:
    """The confidence as a sentence, never as a bare number."""
    if not answer.answered:
        return words("confidence.abstained")
    for bound, name in ((0.9, "high"), (0.7, "good"), (0.4, "fair")):
        if answer.confidence >= bound:
            return words(f"confidence.{name}")
    return words("confidence.low")


def _question(turn: Turn, words: Strings, versions: Sequence[str]) -> str:
    choice = ""
    if turn.id in versions and len(versions) > 1:
        place = list(versions).index(turn.id)
        label = words("ask.branch", number=place + 1, count=len(versions))
        choice = (
            f'<span class="versions" role="group" aria-label="{escape(label)}">'
            f"{_version(versions, place - 1, 'back', words('ask.branch.previous'))}"
            f'<span aria-hidden="true">{place + 1}/{len(versions)}</span>'
            f"{_version(versions, place + 1, 'next', words('ask.branch.next'))}</span>"
        )
    return (
        f'<header class="asked"><h2 class="asked-text" dir="auto">{escape(turn.question)}</h2>'
        f'<div class="asked-do">{choice}'
        f"{_action('turn.edit', words('ask.edit'), 'edit')}</div></header>"
    )


def _version(versions: Sequence[str], place: int, sign: str, label: str) -> str:
    if not 0 <= place < len(versions):
        return f'<button class="icon" disabled aria-label="{escape(label)}">{icon(sign)}</button>'
    return (
        f'<button class="icon" data-do="turn.version" data-version="{escape(versions[place])}"'
        f' aria-label="{escape(label)}">{icon(sign)}</button>'
    )


def _reply(turn: Turn, answer: Answer | None, words: Strings, feedback: Sequence[Feedback]) -> str:
    if answer is None:
        hint = "ask.stopped" if turn.state == "stopped" else "ask.interrupted"
        return (
            f'<p class="aside">{escape(words(hint))}</p>'
            '<div class="actions"><button class="quiet" data-do="turn.again">'
            f"{escape(words('ask.again'))}</button></div>"
        )
    stopped = f'<p class="aside">{escape(words("ask.stopped"))}</p>' if turn.state == "stopped" else ""
    verdict = next((given.verdict for given in feedback if given.citation is None), None)
    return (
        f'<div class="answer-text{"" if answer.answered else " abstained"}" lang="{escape(answer.language)}">'
        f"{answer_text(answer.text, answer.claims, answer.evidence, words)}</div>{stopped}"
        f"{_notices(answer, words)}"
        f'<p class="confidence" data-level="{_level(answer)}"><span class="gauge" aria-hidden="true"></span>'
        f'<span class="hidden-label">{escape(words("confidence"))}: </span>'
        f"{escape(confidence_words(answer, words))}</p>"
        f'<div class="actions">{_action("turn.copy", words("ask.copy"), "copy")}'
        f"{_action('turn.again', words('ask.again'), 'again')}"
        f"{_action('feedback.good', words('feedback.good'), 'good', pressed=verdict == 'good')}"
        f"{_action('feedback.bad', words('feedback.bad'), 'bad', pressed=verdict == 'bad')}"
        f'<details class="found" data-do-open="found"><summary>{escape(words("found"))}</summary>'
        '<div class="found-body"></div></details></div>'
    )


def _action(name: str, label: str, sign: str, pressed: bool | None = None) -> str:
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    return (
        f'<button class="icon" data-do="{name}" aria-label="{escape(label)}" title="{escape(label)}"{state}>'
        f"{icon(sign)}</button>"
    )


def icon(name: str) -> str:
    """One of the shell's drawings."""
    return f'<svg class="i" aria-hidden="true"><use href="#i-{name}"></use></svg>'


def _level(answer: Answer) -> int:
    """How full the gauge is, 0 to 4."""
    if not answer.answered:
        return 0
    return 1 + sum(answer.confidence >= bound for bound in (0.4, 0.7, 0.9))


def _notices(answer: Answer, words: Strings) -> str:
    return "".join(
        f'<p class="notice" data-code="{escape(notice.code)}" role="note">'
        f'<span class="hidden-label">{escape(words("notice"))}: </span>'
        f'<span dir="auto" lang="{escape(answer.language)}">{escape(notice.message)}</span></p>'
        for notice in answer.notices
    )


def translation_label(item: Evidence, language: str, words: Strings) -> str:
    """What a translation into `language` is called wherever it is shown."""
    between = {"source": item.language, "target": language}
    named = {name: language_name(tag, words.language) for name, tag in between.items()}
    return words("evidence.translation", **named)


def _translation(item: Evidence, language: str, words: Strings) -> str:
    if not item.translation:
        return ""
    label = escape(translation_label(item, language, words))
    # The label has its own direction: it must not decide that of the words below it.
    return (
        f'<div class="translation"><small>{label}</small>'
        f'<p lang="{escape(language)}" dir="auto">{escape(item.translation)}</p></div>'
    )


def _card(item: Evidence, words: Strings, judged: bool, language: str) -> str:
    title = item.document.title
    return (
        f'<li class="card" data-key="{item.key}">'
        f'<button class="card-open" data-do="source.open" data-key="{item.key}"'
        f' aria-label="{escape(words("evidence.open", key=item.key, title=title))}">'
        f'<span class="key" aria-hidden="true">{item.key}</span>'
        f'<span class="source">{source_line(item.document, words)}</span></button>'
        f'<blockquote lang="{escape(item.language)}" dir="auto">{escape(item.quote)}</blockquote>'
        f"{_translation(item, language, words)}"
        f'<button class="icon wrong" data-do="feedback.citation" data-key="{item.key}"'
        f' aria-label="{escape(words("evidence.wrong"))}" title="{escape(words("evidence.wrong"))}"'
        f' aria-pressed="{str(judged).lower()}">{icon("flag")}</button></li>'
    )


def _claim_tag(claim: Claim) -> str:
    keys = " ".join(str(key) for key in claim.citations)
    return f'<span class="claim" data-support="{claim.support}" data-keys="{keys}">'


def _claim_end(claim: Claim | None, at: int, words: Strings) -> str:
    """The end of a claim's words on this line; after its last ones, what is wrong with it."""
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
            label = words("evidence.mark", key=key, title=by_key[key].document.title)
            return (
                f'<button class="mark" data-do="source.open" data-key="{key}"'
                f' aria-label="{escape(label)}">{key}</button>'
            )
    for quote, item in quotes:
        if quote.start <= span.start and span.end <= quote.end:
            return f'<q lang="{escape(item.language)}" data-key="{item.key}">{escape(words_here)}</q>'
    return escape(words_here)


def _quotes(text: str, claims: Sequence[Claim], by_key: dict[int, Evidence]) -> Iterator[tuple[Span, Evidence]]:
    """Where the text holds the very words of a quote that the claim there cites."""
    taken: list[Span] = []
    for item in by_key.values():
        places = [Span(claim.start, claim.end) for claim in claims if item.key in claim.citations]
        for place in places or [Span(0, len(text))]:
            at = text.find(item.quote, place.start, place.end) if item.quote else -1
            span = Span(at, at + len(item.quote))
            if at >= 0 and not any(other.start < span.end and span.start < other.end for other in taken):
                taken.append(span)
                yield span, item
                break
