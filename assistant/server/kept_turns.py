"""Save questions and answers, from the page or the API, as turns of the asker's conversation."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from assistant.accounts.account import Visitor
from assistant.server.auth.conversation_access import own_conversation
from assistant.server.error_messages import error_message
from assistant.server.services import Asked, Services
from assistant.server.strings import Strings
from assistant.types import Answer, AskOptions, Message, Notice
from store.catalog.conversations import Conversations, Turn
from store.errors import AttestError, NotFoundError

_OPTIONS = TypeAdapter(AskOptions)


@dataclass(frozen=True, slots=True)
class Kept:
    """A turn that still waits for its answer."""

    turn: Turn
    conversations: Conversations

    def save(self, answer: Answer, words: Strings) -> Answer:
        """Save the answer and return it, with a notice if it couldn't be saved; without one if its conversation was
        deleted meanwhile.
        """
        try:
            self.conversations.close_turn(self.turn.id, "finished", answer.to_json())
        except NotFoundError:
            return answer
        except AttestError as error:
            lost = Notice(code="not_saved", message=words("ask.not_saved", reason=error_message(error, words)))
            return answer.model_copy(update={"notices": (*answer.notices, lost)})
        return answer

    def stop(self) -> None:
        """Save that there is no answer: the question was stopped, or failed."""
        with suppress(AttestError):  # nobody waits for it, or the failure has been told
            self.conversations.close_turn(self.turn.id, "stopped", None)


def begin_turn(services: Services, caller: Visitor, asked: Asked, parent: Turn | None) -> Kept:
    """Save a question after `parent`, or at the beginning of a new conversation. Raises AttestError."""
    place = (parent.conversation, parent.id) if parent else (None, None)
    turn = keep_question(services.conversations, caller, asked.question, asked.options, *place)
    return Kept(turn, services.conversations)


def keep_question(
    conversations: Conversations,
    visitor: Visitor,
    question: str,
    options: AskOptions,
    conversation: str | None,
    parent: str | None,
) -> Turn:
    """Save a question after the turn `parent`, and return its turn; begin a new conversation if none is given.

    Raises NotFoundError for somebody else's conversation.
    """
    if conversation is None:
        place = conversations.start(visitor.owner, question).id
    else:
        place = own_conversation(conversations, visitor, conversation).id
    return conversations.ask(place, parent, question, _OPTIONS.dump_json(options).decode())


def history_of(turns: Sequence[Turn]) -> tuple[Message, ...]:
    """Return earlier turns as messages for a follow-up question, without unanswered ones."""
    messages: list[Message] = []
    for turn in turns:
        if turn.state == "finished" and turn.answer:
            messages.append(Message("user", turn.question))
            messages.append(Message("assistant", Answer.model_validate_json(turn.answer).text))
    return tuple(messages)


def options_of(turn: Turn) -> AskOptions:
    """Return the options of a turn's question, as `keep_question` saved them."""
    try:
        return _OPTIONS.validate_json(turn.options)
    except ValidationError:  # saved by another version
        return AskOptions()
