"""Convert chat messages for the pipeline: the last user message is the question, those before it the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.server.api.openai.errors import ParameterError
from assistant.types import Message
from store.errors import RequestError

_TEXT = ("text", "input_text", "output_text")


class Part(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """One message. Those of systems, developers and tools say nothing to Attest and are passed over."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | tuple[Part, ...] | None = None


Messages = Annotated[tuple[ChatMessage, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Conversation:
    """The question and history in the messages."""

    question: str
    history: tuple[Message, ...]
    ignored: tuple[str, ...]
    """Roles whose messages were ignored, each once."""


def conversation_of(messages: Sequence[ChatMessage], parameter: str = "messages") -> Conversation:
    """Return question and history of `messages`.

    Raises ParameterError if no user asks anything, or a message contains pictures, sound or files.
    """
    said: list[Message] = []
    passed_over: dict[str, None] = {}
    for place, message in enumerate(messages):
        if message.role not in ("user", "assistant"):
            passed_over[f"{parameter}.{message.role}"] = None
            continue
        text = _text(message.content, f"{parameter}.{place}.content")
        if text.strip():
            said.append(Message("user" if message.role == "user" else "assistant", text))
    last = next((place for place in reversed(range(len(said))) if said[place].role == "user"), None)
    if last is None:
        raise ParameterError(parameter, RequestError("No message of the role user asks anything.", code="no_question"))
    return Conversation(said[last].text, tuple(said[:last]), tuple(passed_over))


def _text(content: str | Sequence[Part] | None, parameter: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        if part.type not in (*_TEXT, "refusal"):
            raise ParameterError(
                parameter,
                RequestError(
                    "Attest reads text alone, no part of the type {kind}.", code="only_text", kind=f"{part.type[:40]!r}"
                ),
            )
    return "\n".join(part.text for part in content if part.type in _TEXT and part.text)


def ignored_parameters(request: BaseModel, understood: frozenset[str]) -> tuple[str, ...]:
    """Return the names of parameters that have no meaning for Attest, in the order given."""
    given: dict[str, Any] = dict.fromkeys([*request.model_fields_set, *(request.model_extra or {})])
    return tuple(name for name in sorted(given) if name not in understood)
