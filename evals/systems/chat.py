"""Any OpenAI-compatible chat endpoint as a system under test, with sources or without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urldefrag

import httpx
from pydantic import ValidationError

from assistant.types import Answer, Message
from evals.systems.base import Reply, ReplyError, UnreachableError
from evals.systems.citations import chat_citations, split_references
from evals.systems.http import TIMEOUT_SECONDS, bearer, exchange
from store.errors import RequestError


class ChatEndpoint:
    """``http://host:8000/v1`` asked by chat completions; ``#model`` after it names the model, if it serves several."""

    def __init__(self, url: str) -> None:
        base, model = urldefrag(url)
        self._base = base.rstrip("/").removesuffix("/chat/completions")
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, headers=bearer())
        self._model = model or self._only_model()
        self.name = f"{self._base}#{self._model}"

    def reply(self, question: str, history: Sequence[Message]) -> Reply:
        """Return what it says. Raises ReplyError, UnreachableError."""
        messages = [
            {"role": message.role, "content": message.text} for message in (*history, Message("user", question))
        ]
        url = f"{self._base}/chat/completions"
        body = exchange(self._client, "POST", url, {"model": self._model, "messages": messages, "temperature": 0})
        try:
            message = body["choices"][0]["message"]
        except (KeyError, IndexError, TypeError) as error:
            raise ReplyError(f"{url} answers in another shape than a chat completion: `choices` is missing.") from error
        own = body.get("attest") or message.get("attest")
        text = _text(message.get("content"))
        citations = chat_citations(message, body)
        if citations is None:
            text, citations = split_references(text)
        return Reply(text, citations, answer=_answer(own) if own else None)

    def _only_model(self) -> str:
        """Return the model that it serves. Raises RequestError if there are several, UnreachableError."""
        url = f"{self._base}/models"
        try:
            served = [str(each["id"]) for each in exchange(self._client, "GET", url)["data"]]
        except (ReplyError, KeyError, TypeError) as error:
            raise UnreachableError(f"{url} lists no models: write {self._base}#MODEL to name one.") from error
        if len(served) != 1:
            listed = ", ".join(served[:5]) or "none"
            raise RequestError(f"{self._base} serves several models ({listed}): write {self._base}#MODEL to name one.")
        return served[0]


def _text(content: object) -> str:
    """Return a message's text, which may come in parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "")


def _answer(value: Any) -> Answer | None:  # noqa: ANN401 - JSON of any shape
    """Return Attest's answer object; None for what another version of Attest has under that key."""
    try:
        return Answer.model_validate(value)
    except ValidationError:
        return None
