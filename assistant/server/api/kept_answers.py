"""Answers that are kept: each is a turn of a conversation of the person who asked, as on the page."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from assistant.accounts.account import Visitor
from assistant.server.api.services import Asked, Services
from assistant.server.page.answer_stream import keep_question
from assistant.types import Answer
from store.catalog.conversations import Conversations, Turn
from store.errors import AttestError


@dataclass(frozen=True, slots=True)
class Kept:
    """A turn whose answer is still to come."""

    turn: Turn
    conversations: Conversations

    def close(self, answer: Answer | None) -> None:
        """Keep the answer; None: the question was stopped, or failed."""
        with suppress(AttestError):  # its conversation was deleted meanwhile
            self.conversations.close_turn(
                self.turn.id, "finished" if answer else "stopped", answer.to_json() if answer else None
            )


def begin_turn(services: Services, caller: Visitor, asked: Asked, parent: Turn | None) -> Kept:
    """Keep a question after `parent`, or at the beginning of a new conversation. Raises AttestError."""
    place = (parent.conversation, parent.id) if parent else (None, None)
    turn = keep_question(services.conversations, caller, asked.question, asked.options, *place)
    return Kept(turn, services.conversations)
