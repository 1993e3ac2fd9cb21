"""``/v1/responses``: answer with citations as annotations, saved in a conversation unless `store` is false."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Response as HTTPResponse
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from assistant.accounts.account import Visitor
from assistant.server.api.answer_runs import answer_of
from assistant.server.api.choices import Choices
from assistant.server.api.openai.chat import STREAM
from assistant.server.api.openai.errors import OpenAIRoute, ParameterError, described
from assistant.server.api.openai.messages import ChatMessage, conversation_of, ignored_parameters
from assistant.server.api.openai.models import options_for
from assistant.server.api.openai.replies import ERRORS, Response, ignored_header, token_counts
from assistant.server.api.openai.response_objects import Reply, events_of_text, finished, started
from assistant.server.auth.conversation_access import own_turn
from assistant.server.auth.route_guard import require
from assistant.server.dependencies import Caller, words_of_request
from assistant.server.kept_turns import Kept, begin_turn, history_of
from assistant.server.services import Asked, Services
from assistant.server.strings import Strings
from assistant.types import Answer, Event, Finished, TextAdded
from store.errors import NotFoundError, RequestError

PREFIX = "resp_"
_UNDERSTOOD = frozenset({"model", "input", "stream", "store", "previous_response_id", "user", "attest"})


class Item(BaseModel):
    """An item of the input: a message, or one that Attest passes over."""

    model_config = ConfigDict(extra="allow")

    type: str = "message"


class ResponseRequest(BaseModel):
    """A question. What isn't named here means nothing to Attest: it is accepted, and ``attest-ignored`` names it."""

    model_config = ConfigDict(extra="allow")

    model: str
    input: Annotated[str, Field(min_length=1)] | Annotated[tuple[Item, ...], Field(min_length=1)]
    stream: StrictBool | None = False
    store: StrictBool | None = True
    """Whether to save the answer, so that it can be read again, and another question can follow it."""
    previous_response_id: str | None = None
    user: str | None = None
    """The user, if one program asks for many: each continues only their own."""
    attest: Choices = Choices()


@dataclass(frozen=True, slots=True)
class _Running:
    """A response in progress."""

    reply: Reply
    asked: Asked
    kept: Kept | None


def responses_router(services: Services) -> APIRouter:
    """Return the routes under ``/v1/responses``."""
    router = APIRouter(route_class=OpenAIRoute, dependencies=[require("ask")])

    @router.post("/responses", response_model=Response, responses=ERRORS)
    async def respond(body: ResponseRequest, request: Request, caller: Caller) -> HTTPResponse:
        """Answer a question, whole or as a stream of events.

        If the answer couldn't be saved, `attest` has the notice `not_saved` with the reason.
        """
        visitor = _on_behalf(caller, body.user)
        running, ignored = _begun(services, visitor, body)
        headers = ignored_header((*ignored_parameters(body, _UNDERSTOOD), *ignored))
        events = services.events(visitor, running.asked)
        words = words_of_request(request)
        if body.stream:
            lines = _lines(services, running, events, words)
            return StreamingResponse(lines, media_type="text/event-stream", headers=STREAM | headers)
        try:
            answer = await answer_of(events)
        except BaseException:
            if running.kept is not None:
                running.kept.stop()
            raise
        if running.kept is not None:
            answer = running.kept.save(answer, words)
        return JSONResponse(
            finished(running.reply, answer, token_counts(services, running.asked, answer.text)), headers=headers
        )

    @router.get("/responses/{response_id}", response_model=Response, responses=ERRORS)
    async def read(response_id: str, caller: Caller, user: str | None = None) -> HTTPResponse:
        """Read a response that was kept."""
        turn = own_turn(services.conversations, _on_behalf(caller, user), response_id.removeprefix(PREFIX))
        if turn.answer is None:
            raise NotFoundError("This response has no answer.", code="no_answer")
        answer = Answer.model_validate_json(turn.answer)
        previous = f"{PREFIX}{turn.parent}" if turn.parent else None
        reply = Reply(f"{PREFIX}{turn.id}", "attest", previous=previous, user=user)
        return JSONResponse(finished(reply, answer, token_counts(services, Asked(turn.question), answer.text)))

    return router


def _on_behalf(caller: Visitor, user: str | None) -> Visitor:
    return replace(caller, owner=f"{caller.owner}/{user}") if user else caller


def _begun(services: Services, visitor: Visitor, body: ResponseRequest) -> tuple[_Running, tuple[str, ...]]:
    if isinstance(body.input, str):
        messages = [ChatMessage(role="user", content=body.input)]
    else:
        messages = [_message(item, place) for place, item in enumerate(body.input) if item.type == "message"]
    conversation = conversation_of(messages, "input")
    before: tuple[Any, ...] = ()
    parent = None
    if body.previous_response_id is not None:
        parent = own_turn(services.conversations, visitor, body.previous_response_id.removeprefix(PREFIX))
        before = history_of(services.conversations.branch(parent.conversation, parent.id))
    options = options_for(body.model, body.attest.as_options())
    asked = Asked(conversation.question, (*before, *conversation.history), options)
    kept = begin_turn(services, visitor, asked, parent) if body.store is not False else None
    reply = Reply.new(
        f"{PREFIX}{kept.turn.id}" if kept else None, body.model, previous=body.previous_response_id, user=body.user
    )
    return _Running(reply, asked, kept), conversation.ignored


def _message(item: Item, place: int) -> ChatMessage:
    try:
        return ChatMessage.model_validate(item.model_dump())
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        malformed = RequestError("This is no message: {reason}.", code="no_message", reason=reason)
        raise ParameterError(f"input.{place}", malformed) from error


async def _lines(
    services: Services, running: _Running, events: AsyncIterator[Event], words: Strings
) -> AsyncIterator[str]:
    """Yield the stream's lines, numbered in order; the last event is the whole response."""
    number = 0

    def line(event: dict[str, Any]) -> str:
        nonlocal number
        numbered = {"type": event["type"], "sequence_number": number, **event}
        number += 1
        return f"event: {event['type']}\ndata: {json.dumps(numbered, ensure_ascii=False)}\n\n"

    answer: Answer | None = None
    unsaved = running.kept
    for event in started(running.reply):
        yield line(event)
    try:
        async with aclosing(events):  # type: ignore[type-var] # they are a generator
            async for came in events:
                if isinstance(came, TextAdded):
                    yield line(running.reply.delta(came.text))
                elif isinstance(came, Finished):
                    answer = came.answer
        assert answer is not None  # noqa: S101 - `Finished` is always the last
        if unsaved is not None:
            answer, unsaved = unsaved.save(answer, words), None
        for event in events_of_text(running.reply, answer):
            yield line(event)
        whole = finished(running.reply, answer, token_counts(services, running.asked, answer.text))
        yield line({"type": "response.completed", "response": whole})
    except Exception as error:  # the response has begun, so the stream reports it
        detail = described(error, words)[1]["error"]
        failed = running.reply.object("failed") | {"error": {"code": "server_error", "message": detail["message"]}}
        yield line({"type": "response.failed", "response": failed})
    finally:
        if unsaved is not None:
            unsaved.stop()
