"""Use any OpenAI-compatible endpoint: OpenAI, Ollama, vLLM, llama.cpp's server. A reply can be aborted at any moment.

A blocking read of a reply can't be ended from outside. So an event loop in its own thread receives
the reply. Cancelling its task closes the connection, which tells the server that nobody is listening.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseGen, MessageRole
from llama_index.llms.openai_like import OpenAILike

from assistant.llm.base import BEAT_SECONDS

CONTEXT_WINDOW = 8192
TIMEOUT_SECONDS = 90.0
"""Seconds of silence: until the connection is made, and between two pieces of a reply. A model on a CPU may need a
minute to read before its first word."""
_DONE = object()
_MOST = 100_000
"""Characters of one reply: far more than any answer, and few enough to buffer while nobody reads them."""


def endpoint(
    base_url: str, model: str, api_key: str | None = None, *, timeout: float = TIMEOUT_SECONDS
) -> InterruptibleEndpoint:
    """Return the model of that name at an endpoint such as ``http://127.0.0.1:11434/v1``, without contacting it."""
    return InterruptibleEndpoint(
        model=model,
        api_base=base_url,
        # Local servers need no key, but the client insists on one.
        api_key=api_key or "none",
        is_chat_model=True,
        context_window=CONTEXT_WINDOW,
        temperature=0.0,
        timeout=timeout,
        reuse_client=False,  # Each reply has its own event loop, and a client belongs to one.
        max_retries=0,  # The caller decides on retries: it knows what was already shown.
    )


class InterruptibleEndpoint(OpenAILike):
    """`OpenAILike` whose streamed replies contain empty pieces while the endpoint is silent."""

    @classmethod
    def class_name(cls) -> str:
        """Return the name by which LlamaIndex knows this class."""
        return "InterruptibleEndpoint"

    def stream_chat(self, messages: Sequence[ChatMessage], **options: object) -> ChatResponseGen:
        """Yield the reply piece by piece. Closing the generator closes the connection."""

        def replies() -> ChatResponseGen:
            received: queue.Queue[Any] = queue.Queue()
            stop = _in_background(lambda: self._receive(messages, options, received), received)
            try:
                while True:
                    try:
                        reply = received.get(timeout=BEAT_SECONDS)
                    except queue.Empty:
                        reply = _piece("")
                    if reply is _DONE:
                        return
                    if isinstance(reply, Exception):
                        raise reply
                    yield reply
            finally:
                stop()

        return replies()

    async def _receive(
        self, messages: Sequence[ChatMessage], options: dict[str, object], received: queue.Queue[Any]
    ) -> None:
        characters = 0
        async for reply in await self.astream_chat(messages, **options):
            # Each of LlamaIndex's replies contains all text before it, so only the new part of waiting ones is kept.
            received.put(_piece(reply.delta or ""))
            characters += len(reply.delta or "")
            if characters > _MOST:
                return


def _piece(text: str) -> ChatResponse:
    return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=""), delta=text)


def _in_background(work: Callable[[], Any], received: queue.Queue[Any]) -> Callable[[], None]:
    """Run a coroutine in a thread; put its failure and its end into `received`. Calling the result cancels it."""
    started = threading.Event()
    cancel: list[Callable[[], object]] = []

    async def main() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - `main` is one
        cancel.append(partial(loop.call_soon_threadsafe, task.cancel))
        started.set()
        await work()

    def run() -> None:
        try:
            asyncio.run(main())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # any error must reach the reader, not the thread
            received.put(error)
        finally:
            started.set()
            received.put(_DONE)

    def stop() -> None:
        started.wait()
        with suppress(RuntimeError):  # It is over already.
            for each in cancel:
                each()

    # In this context, so that LlamaIndex's instrumentation of the call belongs to its answer.
    threading.Thread(target=copy_context().run, args=(run,), daemon=True, name="endpoint").start()
    return stop
