"""``/v1/chat/completions``: answer the last user message, and reply with the answer's text."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from assistant.server.api.answer_runs import answer_of
from assistant.server.api.choices import Choices
from assistant.server.api.openai.annotations import chat_annotations
from assistant.server.api.openai.errors import OpenAIRoute, described
from assistant.server.api.openai.messages import Messages, conversation_of, ignored_parameters
from assistant.server.api.openai.models import options_for
from assistant.server.api.openai.replies import ERRORS, ChatCompletion, answer_object, ignored_header, token_counts
from assistant.server.auth.route_guard import require
from assistant.server.dependencies import Caller, words_of_request
from assistant.server.services import Asked, Services
from assistant.server.strings import Strings
from assistant.types import Answer, Event, Finished, TextAdded

STREAM = {"cache-control": "no-store", "x-accel-buffering": "no"}
_UNDERSTOOD = frozenset({"model", "messages", "stream", "stream_options", "stop", "user", "attest"})

Stop = (
    Annotated[str, Field(min_length=1)]
    | Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(max_length=4)]
)


class StreamOptions(BaseModel):
    """What else a stream carries."""

    model_config = ConfigDict(extra="allow")

    include_usage: StrictBool = False


class ChatRequest(BaseModel):
    """A chat. What isn't named here (temperature, tools and so on) means nothing to Attest: it is accepted, and the
    header ``attest-ignored`` of the reply names it.
    """

    model_config = ConfigDict(extra="allow")

    model: str
    messages: Messages
    stream: StrictBool | None = False
    stream_options: StreamOptions | None = None
    stop: Stop | None = None
    """The text ends before the first of these; the answer object stays complete."""
    user: str | None = None
    attest: Choices = Choices()
    """Options that only Attest has."""


@dataclass(frozen=True, slots=True)
class _Chat:
    """One request, checked."""

    id: str
    created: int
    model: str
    asked: Asked
    stop: tuple[str, ...]
    base_url: str
    with_usage: bool


def chat_router(services: Services) -> APIRouter:
    """Return the route ``/v1/chat/completions``."""
    router = APIRouter(route_class=OpenAIRoute, dependencies=[require("ask")])

    @router.post("/chat/completions", response_model=ChatCompletion, responses=ERRORS)
    async def complete(body: ChatRequest, request: Request, caller: Caller) -> Response:
        """Answer the last question of a chat, whole or as a stream of chunks."""
        conversation = conversation_of(body.messages)
        chat = _Chat(
            id=f"chatcmpl-{secrets.token_hex(12)}",
            created=int(time.time()),
            model=body.model,
            asked=Asked(conversation.question, conversation.history, options_for(body.model, body.attest.as_options())),
            stop=(body.stop,) if isinstance(body.stop, str) else body.stop or (),
            base_url=str(request.base_url),
            with_usage=body.stream_options is not None and body.stream_options.include_usage,
        )
        headers = ignored_header((*ignored_parameters(body, _UNDERSTOOD), *conversation.ignored))
        events = services.events(caller, chat.asked)
        if body.stream:
            lines = _lines(chat, events, services, words_of_request(request))
            return StreamingResponse(lines, media_type="text/event-stream", headers=STREAM | headers)
        return JSONResponse(_completion(chat, await answer_of(events), services), headers=headers)

    return router


def _completion(chat: _Chat, answer: Answer, services: Services) -> dict[str, Any]:
    text = StopSequences(chat.stop).whole(answer.text)
    message = {
        "role": "assistant",
        "content": text,
        "refusal": None,
        "annotations": chat_annotations(answer, text, chat.base_url),
    }
    return {
        "id": chat.id,
        "object": "chat.completion",
        "created": chat.created,
        "model": chat.model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(chat, text, services),
        "attest": answer_object(answer),
    }


async def _lines(chat: _Chat, events: AsyncIterator[Event], services: Services, words: Strings) -> AsyncIterator[str]:
    """Yield the stream's lines: first a role, then pieces of text, last a chunk with the whole answer object."""
    cutter = StopSequences(chat.stop)
    shown = ""
    yield _chunk(chat, {"role": "assistant", "content": ""})
    try:
        async with aclosing(events):  # type: ignore[type-var] # they are a generator
            async for event in events:
                piece = ""
                if isinstance(event, TextAdded):
                    piece = cutter.add(event.text)
                elif isinstance(event, Finished):
                    piece = cutter.end()
                if piece:
                    shown += piece
                    yield _chunk(chat, {"content": piece})
                if isinstance(event, Finished):
                    yield _last(chat, event.answer, shown)
                    if chat.with_usage:
                        yield _chunk(chat, None, usage=_usage(chat, shown, services))
    except Exception as error:  # the response has begun, so the stream reports it
        yield _line(described(error, words)[1])
    yield "data: [DONE]\n\n"


def _last(chat: _Chat, answer: Answer, shown: str) -> str:
    annotations = chat_annotations(answer, shown, chat.base_url)
    delta = {"annotations": annotations} if annotations else {}
    return _chunk(chat, delta, finish_reason="stop", attest=answer_object(answer))


def _chunk(chat: _Chat, delta: dict[str, Any] | None, finish_reason: Literal["stop"] | None = None, **more: Any) -> str:  # noqa: ANN401
    """Return the line of a chunk; without `delta` it has no choice."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return _line(
        {
            "id": chat.id,
            "object": "chat.completion.chunk",
            "created": chat.created,
            "model": chat.model,
            "choices": [] if delta is None else [choice],
            **more,
        }
    )


def _line(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _usage(chat: _Chat, text: str, services: Services) -> dict[str, int]:
    prompt, completion = token_counts(services, chat.asked, text)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class StopSequences:
    """Passes pieces of a text on, but holds back what may be the beginning of a stop sequence.

    >>> cutter = StopSequences(["END"])
    >>> [cutter.add("the E"), cutter.add("ND of it"), cutter.end()]
    ['the ', '', '']
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = tuple(filter(None, sequences))
        self._held = ""
        self.reached = False
        """Whether the text was cut."""

    def add(self, piece: str) -> str:
        """Return the new part of the text that can already be shown."""
        if self.reached:
            return ""
        text = self._held + piece
        ends = [(at + len(each), at) for each in self._sequences if (at := text.find(each)) >= 0]
        if ends:
            self.reached, self._held = True, ""
            return text[: min(ends)[1]]
        keep = max((_overlap(text, each) for each in self._sequences), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def whole(self, text: str) -> str:
        """Return `text`, cut."""
        return self.add(text) + self.end()

    def end(self) -> str:
        """Return what was held back, because it didn't become a stop sequence."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, sequence: str) -> int:
    """Return the length of the longest end of `text` that begins `sequence` without completing it."""
    longest = min(len(text), len(sequence) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(sequence[:size])), 0)
