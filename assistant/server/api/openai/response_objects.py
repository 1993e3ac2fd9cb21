"""Define the objects and events of OpenAI's responses."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from assistant.server.api.openai.annotations import response_annotations
from assistant.server.api.openai.replies import answer_object
from assistant.types import Answer


@dataclass(frozen=True, slots=True)
class Reply:
    """What is known about a response before its answer."""

    id: str
    model: str
    previous: str | None = None
    user: str | None = None
    created: float = field(default_factory=time.time)

    @classmethod
    def new(cls, response_id: str | None, model: str, *, previous: str | None, user: str | None) -> Self:
        """Return a response with that id, or with a random one."""
        return cls(response_id or f"resp_{secrets.token_hex(12)}", model, previous, user)

    @property
    def item_id(self) -> str:
        """The id of its only message."""
        return self.id.replace("resp_", "msg_", 1)

    def object(self, status: Literal["completed", "in_progress", "failed"]) -> dict[str, Any]:
        """Return the response without output."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": self.model,
            "output": [],
            "parallel_tool_calls": False,
            "previous_response_id": self.previous,
            "temperature": None,
            "tool_choice": "none",
            "tools": [],
            "top_p": None,
            "usage": None,
            "user": self.user,
        }

    def delta(self, text: str) -> dict[str, Any]:
        """Return the event of a piece of text."""
        return {"type": "response.output_text.delta", **self._place(), "delta": text, "logprobs": []}

    def _place(self) -> dict[str, Any]:
        return {"item_id": self.item_id, "output_index": 0, "content_index": 0}

    def place(self) -> dict[str, Any]:
        """Return the position of the only text in the response."""
        return self._place()


def started(reply: Reply) -> Iterator[dict[str, Any]]:
    """Yield the events before any text."""
    for kind in ("response.created", "response.in_progress"):
        yield {"type": kind, "response": reply.object("in_progress")}
    yield {"type": "response.output_item.added", "output_index": 0, "item": _message(reply, [], "in_progress")}
    yield {"type": "response.content_part.added", **reply.place(), "part": _part("", [])}


def events_of_text(reply: Reply, answer: Answer) -> Iterator[dict[str, Any]]:
    """Yield the events after the text: its annotations one by one, then that text and message are done."""
    annotations = response_annotations(answer, answer.text)
    for index, annotation in enumerate(annotations):
        yield {
            "type": "response.output_text.annotation.added",
            **reply.place(),
            "annotation_index": index,
            "annotation": annotation,
        }
    part = _part(answer.text, annotations)
    yield {"type": "response.output_text.done", **reply.place(), "text": answer.text, "logprobs": []}
    yield {"type": "response.content_part.done", **reply.place(), "part": part}
    yield {"type": "response.output_item.done", "output_index": 0, "item": _message(reply, [part], "completed")}


def finished(reply: Reply, answer: Answer, tokens: tuple[int, int]) -> dict[str, Any]:
    """Return the whole response; `tokens` are the numbers of tokens read and written."""
    read, written = tokens
    return reply.object("completed") | {
        "output": [_message(reply, [_part(answer.text, response_annotations(answer, answer.text))], "completed")],
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        },
        "attest": answer_object(answer),
    }


def _part(text: str, annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


def _message(reply: Reply, content: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {"id": reply.item_id, "type": "message", "role": "assistant", "status": status, "content": content}
