"""``/api/ask``: answer a question, with the pipeline's events as they come, or with the whole answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from assistant.accounts.account import Visitor
from assistant.answer.question import LONGEST_QUESTION
from assistant.server.api.answer_runs import answer_of
from assistant.server.api.choices import Choices
from assistant.server.api.events import named, server_sent
from assistant.server.api.native.errors import problems
from assistant.server.api.openai.replies import answer_object
from assistant.server.auth.conversation_access import own_conversation, own_turn
from assistant.server.auth.route_guard import CheckedRoute, require
from assistant.server.dependencies import Caller, Words
from assistant.server.error_messages import sentence_of, stated
from assistant.server.kept_turns import Kept, begin_turn, history_of
from assistant.server.services import Asked, Services
from assistant.server.strings import Strings
from assistant.types import Answer, Event, Finished, Message
from store.catalog.conversations import Turn
from store.errors import AttestError, NotFoundError

STREAM = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Said(BaseModel):
    """One turn of what was said before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["user", "assistant"]
    text: Annotated[str, Field(max_length=1_000_000)]


class AskRequest(Choices):
    """A question, and what is chosen for it."""

    question: Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION, examples=["When was the forum held?"])]
    conversation: str | None = None
    """The id of the conversation to continue; None begins a new one."""
    parent: str | None = None
    """The id of the turn to follow; None means the last one of the conversation."""
    keep: StrictBool = True
    """Whether to save question and answer in a conversation."""
    history: Annotated[tuple[Said, ...], Field(max_length=200)] = ()
    """What was said before, if no conversation has it."""


class AskReply(BaseModel):
    """A whole answer, and where it is kept."""

    conversation: str | None
    turn: str | None
    answer: Answer


_REPLIES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The whole answer; or with `accept: text/event-stream` the events: `asked` with the ids of "
        "conversation and turn, `evidence_found`, `text_added`, `claim_checked` and others, and last `finished` with "
        "the whole answer, or `failed` with a message. If an answer couldn't be saved, it has the notice `not_saved` with "
        "the reason.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def ask_router(services: Services) -> APIRouter:
    """Return the route ``/api/ask``."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("ask")], tags=["answers"])

    @router.post("/ask", response_model=AskReply, responses=_REPLIES | problems(400, 404))
    async def ask(body: AskRequest, caller: Caller, words: Words, accept: Annotated[str, Header()] = "*/*") -> Response:
        """Answer a question from the documents; each statement comes with the words that prove it."""
        parent = _followed(services, caller, body)
        before = history_of(services.conversations.branch(parent.conversation, parent.id)) if parent else _before(body)
        asked = Asked(body.question, before, body.as_options())
        events = services.events(caller, asked)
        kept = begin_turn(services, caller, asked, parent) if body.keep else None
        if "text/event-stream" in accept:
            return StreamingResponse(_lines(events, kept, words), media_type="text/event-stream", headers=STREAM)
        try:
            answer = await answer_of(events)
        except BaseException:
            if kept is not None:
                kept.stop()
            raise
        if kept is not None:
            answer = kept.save(answer, words)
        return JSONResponse({**_place(kept), "answer": answer_object(answer)})

    return router


def _before(body: AskRequest) -> tuple[Message, ...]:
    return tuple(Message(each.role, each.text) for each in body.history)


def _followed(services: Services, caller: Visitor, body: AskRequest) -> Turn | None:
    """Return the turn that a question follows. Raises NotFoundError."""
    if body.parent is not None:
        turn = own_turn(services.conversations, caller, body.parent)
        if body.conversation not in (None, turn.conversation):
            raise NotFoundError("The turn named as parent belongs to another conversation.", code="parent_other")
        return turn
    if body.conversation is None:
        return None
    leaf = own_conversation(services.conversations, caller, body.conversation).leaf
    return services.conversations.turn(leaf) if leaf else None


async def _lines(events: AsyncIterator[Event], kept: Kept | None, words: Strings) -> AsyncIterator[str]:
    unsaved = kept
    try:
        yield server_sent("asked", _place(kept))
        async with aclosing(events):  # type: ignore[type-var] # they are a generator
            async for event in events:
                if isinstance(event, Finished) and unsaved is not None:
                    whole, unsaved = Finished(unsaved.save(event.answer, words)), None
                    yield server_sent(*named(whole))
                else:
                    yield server_sent(*named(event))
    except Exception as error:  # the response has begun, so the stream reports it
        yield server_sent("failed", _failed(error, words))
    finally:
        if unsaved is not None:
            unsaved.stop()


def _failed(error: Exception, words: Strings) -> dict[str, str | None]:
    if isinstance(error, AttestError):
        return stated(error, words)
    return {"message": sentence_of(error, words), "code": None, "type": None}


def _place(kept: Kept | None) -> dict[str, Any]:
    return {"conversation": kept.turn.conversation if kept else None, "turn": kept.turn.id if kept else None}
