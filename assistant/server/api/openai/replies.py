"""Share parts of OpenAI's replies: the answer object, token counts, and the schemas of the description."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from assistant.server.services import Asked, Services
from assistant.types import Answer

_LONGEST_HEADER = 1000


def answer_object(answer: Answer) -> dict[str, Any]:
    """Return the answer object as JSON values, which every reply has under ``attest``."""
    value: dict[str, Any] = json.loads(answer.to_json())
    return value


def ignored_header(names: tuple[str, ...]) -> dict[str, str]:
    """Return the header that names parameters without meaning for Attest; none if there are none."""
    plain = [name for name in names if name.isascii() and name.isprintable()]
    return {"attest-ignored": ", ".join(plain)[:_LONGEST_HEADER]} if plain else {}


def token_counts(services: Services, asked: Asked, text: str) -> tuple[int, int]:
    """Return the number of tokens of question and history, and of `text`, as the embedding model counts them."""
    count = services.assistant.library.embedder.count_tokens
    spoken = sum(count(said) for said in (asked.question, *(message.text for message in asked.history)))
    return spoken, count(text)


class Shape(BaseModel):
    """A part of a reply; OpenAI may add to it."""

    model_config = ConfigDict(extra="allow")


class ErrorDetail(Shape):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorReply(Shape):
    """An error."""

    error: ErrorDetail


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorReply, "description": said}
    for status, said in (
        (400, "The request can't be done as it is."),
        (401, "No token, or one that isn't valid."),
        (403, "The token's right doesn't reach so far."),
        (404, "There is no such model."),
        (429, "Too many requests; `retry-after` says when to come again."),
        (503, "The library or a model is out of reach, or too many questions wait."),
    )
}


class ChatCompletionMessage(Shape):
    """The answer's text with its citations."""

    role: Literal["assistant"]
    content: str
    annotations: list[dict[str, Any]]


class Choice(Shape):
    """There is exactly one."""

    index: Literal[0]
    message: ChatCompletionMessage
    finish_reason: Literal["stop"]


class Usage(Shape):
    """Counted with the embedding model's tokenizer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(Shape):
    """A reply to a chat."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    attest: Answer


class Response(Shape):
    """A response, with the answer object once it is finished."""

    id: str
    object: Literal["response"]
    created_at: float
    status: Literal["completed", "in_progress", "failed"]
    model: str
    output: list[dict[str, Any]]
    attest: Answer | None = None


class Embedding(Shape):
    """One vector: numbers, or the bytes of 32-bit floats in base64."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingList(Shape):
    """Vectors in the order of the texts."""

    object: Literal["list"]
    model: str
    data: list[Embedding]
    usage: dict[str, int]
