"""Save a language model's output, reply by reply, so that an interrupted benchmark can continue.

At temperature 0, a model gives the same reply to the same prompt. So a reply is identified by its prompt, and its use
can be judged again quickly after any change except in the prompt.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.llms import LLM, CustomLLM
from pydantic import PrivateAttr
from tqdm import tqdm

from assistant.llm.base import counter_of

T = TypeVar("T")
R = TypeVar("R")


class Remembering(CustomLLM):
    """Passes a prompt on to another model unless its reply is known, and saves the reply.

    It saves the text, the seconds it took, the machine's load, and the model's own count of tokens and time, if any.
    """

    quote_tokens: int = 4096
    _inner: LLM = PrivateAttr()
    _path: Path = PrivateAttr()
    _known: dict[str, dict[str, Any]] = PrivateAttr(default_factory=dict)
    _latest: dict[str, Any] = PrivateAttr(default_factory=dict)
    _latest_key: str = PrivateAttr(default="")
    _is_new: bool = PrivateAttr(default=False)

    def __init__(self, inner: LLM, path: Path) -> None:
        super().__init__(quote_tokens=getattr(inner, "quote_tokens", 4096))
        self._inner = inner
        self._path = path
        self._known = _read(path)

    @property
    def metadata(self) -> LLMMetadata:
        """The other model's metadata."""
        return self._inner.metadata

    @property
    def latest(self) -> dict[str, Any]:
        """What is saved about the latest reply; empty if it was not finished."""
        return self._latest

    @property
    def is_new(self) -> bool:
        """Whether the latest reply is new, rather than saved."""
        return self._is_new

    def note(self, **more: object) -> None:
        """Save something more about the latest reply."""
        self._latest |= more
        self._append()

    def count_tokens(self, text: str) -> int:
        """Count with the other model's tokenizer."""
        return counter_of(self._inner)(text)

    def stream_chat(self, messages: Sequence[ChatMessage], **options: object) -> ChatResponseGen:
        """Return the known reply at once, or the other model's as it arrives."""
        key = _key(self.metadata.model_name, messages, options)
        self._latest, self._latest_key, self._is_new = {}, key, key not in self._known
        return self._known_reply(key) if key in self._known else self._new_reply(key, messages, options)

    def complete(self, prompt: str, formatted: bool = False, **options: object) -> CompletionResponse:
        """Pass the prompt on."""
        return self._inner.complete(prompt, formatted, **options)

    def stream_complete(self, prompt: str, formatted: bool = False, **options: object) -> CompletionResponseGen:
        """Pass the prompt on."""
        return self._inner.stream_complete(prompt, formatted, **options)

    def _known_reply(self, key: str) -> ChatResponseGen:
        self._latest = self._known[key]
        said = str(self._latest["said"])
        yield ChatResponse(message=ChatMessage(role="assistant", content=said), delta=said)

    def _new_reply(self, key: str, messages: Sequence[ChatMessage], options: dict[str, object]) -> ChatResponseGen:
        started, said = time.perf_counter(), ""
        replies = self._inner.stream_chat(messages, **options)
        try:
            for reply in replies:
                said += reply.delta or ""
                yield reply
        finally:
            # A reply that was stopped on purpose is saved, because a reader got it too; one that broke off is not.
            failed = sys.exc_info()[0] not in (None, GeneratorExit)
            getattr(replies, "close", lambda: None)()
            if not failed:
                self._save(key, said, time.perf_counter() - started)

    def _save(self, key: str, said: str, seconds: float) -> None:
        spent = dict(getattr(self._inner, "spent", {}))
        self._latest = {"said": said, "seconds": round(seconds, 3), "load": os.getloadavg()[0], "spent": spent}
        self._known[key] = self._latest
        self._append()

    def _append(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"key": self._latest_key, **self._latest}, ensure_ascii=False))
            file.flush()
            os.fsync(file.fileno())


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return what is saved, later lines over earlier ones; incomplete lines don't count."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[entry.pop("key")] = entry
    return found


def _key(model: str, messages: Sequence[ChatMessage], options: dict[str, object]) -> str:
    said = [[str(message.role.value), message.content] for message in messages]
    asked = json.dumps([model, said, options], ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(asked.encode()).hexdigest()


def one_by_one(tasks: Sequence[T], work: Callable[[T], R], title: str) -> tuple[list[R], list[str]]:
    """Return the results and the failures of all tasks, in order; a failure doesn't end the run."""
    results: list[R] = []
    failures: list[str] = []
    for task in tqdm(tasks, desc=title, file=sys.stderr, mininterval=1):
        try:
            results.append(work(task))
        except Exception as error:  # after any error, the other results are still useful
            failures.append(f"{type(error).__name__}: {error}")
            tqdm.write(f"failed: {failures[-1]}", file=sys.stderr)
    return results, failures
