"""An endpoint's model that can be left at any moment, also while it hangs or reads a long prompt.

A blocking read of a reply can't be ended from outside. So the reply is received by an event loop in a thread of its
own, whose task can be cancelled: that closes the connection, by which a server knows that nobody is listening.
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

_DONE = object()
_MOST = 100_000
"""Characters of one reply: far more than any answer, and little enough to hold while nobody reads them."""


class InterruptibleEndpoint(OpenAILike):
    """`OpenAILike` whose streamed replies come with empty pieces while the endpoint is silent."""

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex knows this class by."""
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
            # Each of LlamaIndex's replies holds all that came before it: of many that wait, only what is new is kept.
            received.put(_piece(reply.delta or ""))
            characters += len(reply.delta or "")
            if characters > _MOST:
                return


def _piece(text: str) -> ChatResponse:
    return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=""), delta=text)


def _in_background(work: Callable[[], Any], received: queue.Queue[Any]) -> Callable[[], None]:
    """Run a coroutine in a thread; its failure and its end are put into `received`. Calling the result cancels it."""
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
        except Exception as error:  # whatever it is must reach the reader, not the thread
            received.put(error)
        finally:
            started.set()
            received.put(_DONE)

    def stop() -> None:
        started.wait()
        with suppress(RuntimeError):  # It is over already.
            for each in cancel:
                each()

    # In this context, so that what LlamaIndex tells of the call belongs to the answer that it is made for.
    threading.Thread(target=copy_context().run, args=(run,), daemon=True, name="endpoint").start()
    return stop
