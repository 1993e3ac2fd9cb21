"""Render a turn as HTML: its question, its answer, and the actions for both.

Each function is pure and returns a fragment in which every external word is escaped; the page's script inserts it and
knows only its classes and `data-` attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.answer_layout import in_asker_language, layout_of
from assistant.server.page.answer_text import answer_text, marker
from assistant.server.page.evidence_html import evidence_section, icon
from assistant.server.strings import Strings
from assistant.types import Answer, Claim, Evidence, Mode
from store.catalog.conversations import Feedback, Turn


@dataclass(frozen=True, slots=True)
class PartialAnswer:
    """The finished part of an answer."""

    evidence: tuple[Evidence, ...] = ()
    text: str = ""
    claims: tuple[Claim, ...] = ()
    language: str = "und"
    mode: Mode = "quotes"


def turn_article(
    turn: Turn,
    words: Strings,
    versions: Sequence[str] = (),
    feedback: Sequence[Feedback] = (),
) -> str:
    """Return a whole saved turn: question, answer, quotes and the actions for them.

    `versions` are the ids of all attempts at this place, including this one, if there are several.
    """
    answer = Answer.model_validate_json(turn.answer) if turn.answer else None
    return (
        f'<article class="turn" data-turn="{escape(turn.id)}" data-parent="{escape(turn.parent or "")}"'
        f' data-state="{turn.state}">'
        f"{_question(turn, words, versions)}"
        f'<div class="reply">{_reply(turn, answer, words)}</div>'
        f'<section class="evidence" aria-label="{escape(words("evidence.title"))}">'
        f"{evidence_section(answer, words, feedback) if answer else ''}</section>"
        f"{_foot(turn, answer, words, feedback) if answer else ''}</article>"
    )


def draft_body(draft: PartialAnswer, words: Strings, hint: str) -> str:
    """Return an unfinished answer: its text so far, and the current step."""
    # Quotes are text too, but they appear below, as quotes.
    is_written = draft.mode == "written" and draft.text
    text = answer_text(draft.text, draft.claims, draft.evidence, words) if is_written else ""
    return (
        f'<div class="answer-text" lang="{escape(draft.language)}">{text}</div>'
        f'<p class="busy"><span class="dots" aria-hidden="true"></span>{escape(words(hint))}</p>'
    )


def confidence_words(answer: Answer, words: Strings) -> str:
    """Return the confidence as a sentence, never as a bare number."""
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


def _reply(turn: Turn, answer: Answer | None, words: Strings) -> str:
    if answer is None:
        hint = "ask.stopped" if turn.state == "stopped" else "ask.interrupted"
        return (
            f'<p class="aside">{escape(words(hint))}</p>'
            '<div class="actions"><button class="quiet" data-do="turn.again">'
            f"{escape(words('ask.again'))}</button></div>"
        )
    return (
        f'<div class="answer-text{"" if answer.answered else " abstained"}" data-kind="{answer.kind}"'
        f' lang="{escape(answer.language)}">{answer_body(answer, words)}</div>{_asked_as(answer, words)}'
    )


def _foot(turn: Turn, answer: Answer, words: Strings, feedback: Sequence[Feedback]) -> str:
    """Return notes about the answer as a whole, and the actions for it."""
    stopped = f'<p class="aside">{escape(words("ask.stopped"))}</p>' if turn.state == "stopped" else ""
    verdict = next((given.verdict for given in feedback if given.citation is None), None)
    return (
        f'<div class="turn-foot">{stopped}{_notices(answer, words)}{_confidence(answer, words)}'
        f'<div class="actions">{_action("turn.copy", words("ask.copy"), "copy")}'
        f"{_action('turn.again', words('ask.again'), 'again')}"
        f"{_action('feedback.good', words('feedback.good'), 'good', pressed=verdict == 'good')}"
        f"{_action('feedback.bad', words('feedback.bad'), 'bad', pressed=verdict == 'bad')}"
        f'<details class="found" data-do-open="found"><summary>{escape(words("found"))}</summary>'
        '<div class="found-body"></div></details></div></div>'
    )


def answer_body(answer: Answer, words: Strings) -> str:
    """Return the words of an answer: the shortest first, then the number of items, then its text."""
    layout = layout_of(answer)
    by_key = {item.key: item for item in answer.evidence}
    short = "".join(
        f'<p class="short-answer" dir="auto" lang="{escape(by_key[span.key].language)}">'
        f"<strong>{escape(span.text)}</strong> {marker(by_key[span.key], words)}</p>"
        for span in layout.short
    )
    renderings = " · ".join(in_asker_language(answer)) if layout.short else ""
    if renderings:
        short += f'<p class="in-asker-language" dir="auto">{escape(renderings)}</p>'
    counted = count_words(answer, words)
    total = f'<p class="total">{escape(counted)}</p>' if counted else ""
    text = answer_text(layout.text, answer.claims, answer.evidence, words) if layout.text else ""
    return short + total + text


def count_words(answer: Answer, words: Strings) -> str:
    """Return how many of all items of a list, or documents, are shown; empty if the total is unknown."""
    if answer.total is None or not answer.answered:
        return ""
    if answer.kind == "library":
        return words("answer.library.total", shown=len(answer.documents), total=answer.total)
    if answer.kind == "list":
        return words("answer.list.total", shown=len(answer.evidence), total=answer.total)
    return ""


def has_confidence(answer: Answer) -> bool:
    """Return whether the confidence is meaningful: not for small talk, nor for answers about the library."""
    return answer.kind not in ("talk", "library")


def _confidence(answer: Answer, words: Strings) -> str:
    if not has_confidence(answer):
        return ""
    return (
        f'<p class="confidence" data-level="{_level(answer)}"><span class="gauge" aria-hidden="true"></span>'
        f'<span class="hidden-label">{escape(words("confidence"))}: </span>'
        f"{escape(confidence_words(answer, words))}</p>"
    )


def understood(answer: Answer, words: Strings) -> tuple[str, str] | None:
    """Return what was searched for, with a label, if it differs from what was typed."""
    if answer.standalone_question.strip() == answer.question.strip():
        return None
    is_typing = answer.did_you_mean == answer.standalone_question
    return words("answer.did_you_mean" if is_typing else "answer.asked_as"), answer.standalone_question


def _asked_as(answer: Answer, words: Strings) -> str:
    """Return what was searched for, if it differs from what was typed, with a link to ask the exact words."""
    found = understood(answer, words)
    if found is None:
        return ""
    label, asked = map(escape, found)
    return (
        f'<p class="asked-as">{label} <span dir="auto" class="asked-as-text">{asked}</span> '
        f'<button class="quiet" data-do="turn.verbatim">{escape(words("answer.ask_verbatim"))}</button></p>'
    )


def _action(name: str, label: str, sign: str, pressed: bool | None = None) -> str:
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    return (
        f'<button class="icon" data-do="{name}" aria-label="{escape(label)}" title="{escape(label)}"{state}>'
        f"{icon(sign)}</button>"
    )


def _level(answer: Answer) -> int:
    """Return how full the gauge is, 0 to 4."""
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
