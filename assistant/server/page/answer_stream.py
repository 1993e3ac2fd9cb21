"""Pass a question from the page to the assistant, and turn the answer into what the page shows, without Gradio.

The page always gets the whole state of one turn, never a difference, so a slow browser may skip states and still ends
up right.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from assistant.accounts.account import Visitor
from assistant.answer.question import clean_question
from assistant.server.api.choices import checked_options
from assistant.server.auth.scoped_access import Assistant, scoped_assistant
from assistant.server.error_messages import sentence_of
from assistant.server.kept_turns import history_of, keep_question
from assistant.server.page.evidence_html import evidence_list
from assistant.server.page.turn_html import PartialAnswer, draft_body, turn_article
from assistant.server.page_settings import PageSettings
from assistant.server.strings import Strings, chosen
from assistant.types import (
    Answer,
    AskOptions,
    ClaimChecked,
    Composed,
    Event,
    EvidenceFound,
    Finished,
    Message,
    Notice,
    TextAdded,
    Translated,
)
from store.catalog.conversations import Conversations, Turn, TurnState
from store.errors import AttestError, NotFoundError

State = dict[str, Any]
"""One state of a turn, as JSON for the page's script."""

_PAUSE = 0.04
"""Seconds between two states while text is streaming: nobody reads faster."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came from the page, checked."""

    ticket: str
    """The page's name for this turn until the server has named it."""
    question: str
    conversation: str | None
    parent: str | None
    options: AskOptions
    words: Strings


class PageAnswers:
    """Answers the page's questions and saves the results."""

    def __init__(self, assistant: Assistant, conversations: Conversations, settings: PageSettings) -> None:
        self._assistant = assistant
        self._conversations = conversations
        self._settings = settings

    def states(self, payload: object, visitor: Visitor) -> Iterator[State]:
        """Yield the states of one turn, from the question to the finished answer; never raise.

        Closing the iterator stops the answer; the part that exists is saved.
        """
        data = payload if isinstance(payload, Mapping) else {}
        ticket, words = str(data.get("ticket", ""))[:64], chosen(_text(data, "ui"))
        try:
            asked = self._checked(data, ticket, words)
            turn = keep_question(
                self._conversations, visitor, asked.question, asked.options, asked.conversation, asked.parent
            )
        except Exception as error:
            yield {"ticket": ticket, "stage": "refused", "message": sentence_of(error, words)}
            return
        yield from self._answer(asked, turn, visitor)

    def _checked(self, data: Mapping[str, Any], ticket: str, words: Strings) -> Asked:
        sent = data.get("question")
        question = clean_question(sent if isinstance(sent, str) else "")
        return Asked(
            ticket=ticket,
            question=question,
            conversation=_text(data, "conversation"),
            parent=_text(data, "parent"),
            options=replace(
                checked_options(data.get("options")),
                as_typed=data.get("verbatim") is True,
                interface_language=words.language,
            ),
            words=words,
        )

    def _answer(self, asked: Asked, turn: Turn, visitor: Visitor) -> Iterator[State]:
        words, draft = asked.words, PartialAnswer(mode=asked.options.mode or self._settings.mode)
        assistant = scoped_assistant(self._assistant, visitor.collections)
        state: State = {
            "ticket": asked.ticket,
            "turn": turn.id,
            "conversation": turn.conversation,
            "stage": "searching",
            "body": draft_body(draft, words, "ask.searching"),
            "evidence": "",
        }
        yield state
        answer: Answer | None = None
        outcome: TurnState = "stopped"
        shown = 0.0
        try:
            history = () if asked.options.as_typed else self._history(turn)  # exactly these words, whatever came before
            for event in assistant.ask(asked.question, history, asked.options):
                if isinstance(event, Finished):
                    answer, outcome = event.answer, "finished"
                    break
                if isinstance(event, Composed | Translated):  # its quotes open, and a reader who leaves now has it
                    answer, outcome = unfinished(event.answer, words), "finished"
                    kept, _ = self._close(asked, turn, outcome, answer)
                    if kept is not None:
                        state = {**state, "kept": self._article(kept, words)}
                draft = advanced(draft, event)
                now = time.monotonic()
                if isinstance(event, EvidenceFound | Composed | Translated) or now - shown >= _PAUSE:
                    shown = now
                    state = {
                        **state,
                        "stage": "writing",
                        "body": draft_body(draft, words, "ask.translating" if answer else "ask.writing"),
                        "evidence": evidence_list(draft.evidence, words, draft.language),
                    }
                    yield state
        except Exception as error:
            told = sentence_of(error, words)
            if answer is None:  # otherwise only translations are missing, and a notice says so
                outcome = "failed"
                yield {**state, "stage": "failed", "message": told}
        finally:
            kept, lost = self._close(asked, turn, outcome, answer or partial(asked, draft))
        if outcome == "finished":
            yield from self._end(state, kept, lost, words)

    def _end(self, state: State, kept: Turn | None, lost: str, words: Strings) -> Iterator[State]:
        """Yield the last state of a finished answer, or why it wasn't saved; nothing if its conversation was deleted."""
        try:
            if kept is not None:
                yield {**state, "stage": "done", **self._finished(kept, words)}
        except AttestError as error:
            lost = sentence_of(error, words)
        if lost:
            yield {**state, "stage": "failed", "message": lost}

    def _finished(self, turn: Turn, words: Strings) -> State:
        answer = Answer.model_validate_json(turn.answer or "")
        announced = "answer.done" if answer.answered else "answer.abstained"
        return {
            "article": self._article(turn, words),
            "announce": words(announced, count=len(answer.evidence)),
            "title": self._conversations.conversation(turn.conversation).title,
        }

    def _article(self, turn: Turn, words: Strings) -> str:
        return turn_article(turn, words, self._conversations.siblings(turn.conversation).get(turn.id, ()))

    def _close(self, asked: Asked, turn: Turn, outcome: TurnState, answer: Answer | None) -> tuple[Turn | None, str]:
        """Save how a turn ended. Return it; without it, the reason if it isn't that its conversation was deleted."""
        try:
            return self._conversations.close_turn(turn.id, outcome, answer.to_json() if answer else None), ""
        except NotFoundError:
            return None, ""
        except AttestError as error:
            return None, sentence_of(error, asked.words)

    def _history(self, turn: Turn) -> tuple[Message, ...]:
        return history_of(self._conversations.branch(turn.conversation, turn.parent) if turn.parent else ())


def advanced(draft: PartialAnswer, event: Event) -> PartialAnswer:
    """Return the draft after one more event."""
    if isinstance(event, EvidenceFound):
        return replace(draft, evidence=event.evidence, language=event.language)
    if isinstance(event, TextAdded):
        return replace(draft, text=draft.text + event.text)
    if isinstance(event, ClaimChecked):
        return replace(draft, claims=(*draft.claims, event.claim))
    if isinstance(event, Composed | Translated):
        return replace(draft, evidence=event.answer.evidence)
    return draft


def unfinished(answer: Answer, words: Strings) -> Answer:
    """Return an answer whose quotes are still being translated, in the form to save if that ends here."""
    stopped = Notice(code="incomplete", message=words("ask.translating.stopped"))
    return answer.model_copy(update={"notices": (*answer.notices, stopped)})


def partial(asked: Asked, draft: PartialAnswer) -> Answer | None:
    """Return the finished part of a stopped answer as an answer object; None if there aren't even quotes."""
    if not draft.evidence:
        return None
    whole = tuple(c for c in draft.claims if draft.text[c.start : c.end] == c.text)
    return Answer(
        question=asked.question,
        standalone_question=asked.question,
        language=draft.language,
        answered=True,
        confidence=0,
        mode=draft.mode,
        text=draft.text,
        claims=whole,
        evidence=draft.evidence,
        notices=(Notice(code="incomplete", message=asked.words("ask.stopped")),),
        timings_ms={"retrieve": 0, "evidence": 0, "total": 0},
    )


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value[:200] if isinstance(value, str) and value else None
