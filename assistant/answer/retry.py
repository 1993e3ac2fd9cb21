"""A language model's reply, asked for again where the model failed before its first word."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from assistant.llm.base import stream_text
from store.errors import LanguageModelError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage

Pause = Callable[[float], None]

RETRIES = 2
"""Of a model that failed before its first word; one that broke off later is not asked again."""
PAUSE_SECONDS = 0.5
"""Before the first retry; doubled before each next."""


def reply(
    llm: LLM, messages: list[ChatMessage], max_tokens: int, pause: Pause = time.sleep
) -> Generator[str, None, None]:
    """The pieces of the reply, empty ones among them while the model is silent. Closing the iterator stops the model.

    Raises:
        LanguageModelError: it failed for good, or after its first word.
    """
    for attempt in range(RETRIES + 1):
        pieces = stream_text(llm, messages, max_tokens=max_tokens)
        begun = False
        try:
            for piece in pieces:
                begun = begun or bool(piece)
                yield piece
        except LanguageModelError as error:
            if begun or attempt == RETRIES or not error.is_temporary:
                raise
            pause(PAUSE_SECONDS * 2**attempt)
        else:
            return
        finally:
            pieces.close()  # type: ignore[attr-defined]
