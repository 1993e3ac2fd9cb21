"""Count tokens, stream replies, and turn a library's failures into our own errors, for every kind of model."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from functools import cache
from typing import TYPE_CHECKING

from assistant.tracing import Span
from prompts import phrase, phrase_in
from store.errors import LanguageModelError

if TYPE_CHECKING:
    import tiktoken
    from llama_index.core.llms import LLM, ChatMessage


def counter_of(llm: LLM) -> Callable[[str], int]:
    """Return a function that counts tokens for `llm`, with its own tokenizer, or else with tiktoken's cl100k_base.

    cl100k_base ships with LlamaIndex, so counting never downloads anything. Counting raises LanguageModelError if the
    model's own tokenizer fails, which may be a server.
    """
    own = getattr(llm, "count_tokens", None)
    if not callable(own):
        return count_with_tiktoken

    def count(text: str) -> int:
        try:
            return int(own(text))
        except LanguageModelError:
            raise
        except Exception as error:
            raise as_model_error(error) from error

    return count


def count_with_tiktoken(text: str) -> int:
    """Return the number of tokens of `text` in cl100k_base."""
    return len(_encoding().encode(text, disallowed_special=()))


@cache
def _encoding() -> tiktoken.Encoding:
    import tiktoken
    from llama_index.core.utils import get_tokenizer

    get_tokenizer()  # Loads it from the vocabulary that LlamaIndex ships; tiktoken caches it.
    return tiktoken.get_encoding("cl100k_base")


Pause = Callable[[float], None]

RETRIES = 2
"""For a model that failed before its first word; one that broke off later is not retried."""
PAUSE_SECONDS = 0.5
"""Before the first retry; doubled before each further one."""

BEAT_SECONDS = 0.25
"""How often adapters yield an empty piece while the model is silent, so that they can be stopped then."""


def stream_text(llm: LLM, messages: list[ChatMessage], **options: object) -> Iterator[str]:
    """Yield the pieces of the model's reply as they come, including empty ones. Closing the iterator stops the model.

    Raises:
        LanguageModelError: the model refused, hung or broke off; the message says what to do.
    """
    replies = None
    span = Span.below_current("model", llm)
    try:
        replies = llm.stream_chat(messages, **options)
        for reply in replies:
            yield reply.delta or ""
    except LanguageModelError as error:
        span.fail(error)
        raise
    except Exception as error:
        span.fail(error)
        raise as_model_error(error) from error
    finally:
        span.end()
        close = getattr(replies, "close", None)
        if close:
            close()


def reply(
    llm: LLM, messages: list[ChatMessage], max_tokens: int, pause: Pause = time.sleep
) -> Generator[str, None, None]:
    """Yield the pieces of the reply; retry up to `RETRIES` times if the model fails before its first word.

    Pieces are empty while the model is silent. Closing the iterator stops it.

    Raises:
        LanguageModelError: it failed permanently, or after its first word.
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


_BY_STATUS = {401: "model_key", 403: "model_key", 404: "model_unknown", 429: "model_busy"}


def model_error(code: str, *, is_temporary: bool = False, **values: object) -> LanguageModelError:
    """Return the error that the phrase `code` describes, with `values` filled in; its message is in English."""
    message = phrase(code, "en").render(**values)
    return LanguageModelError(message, is_temporary=is_temporary, code=code, values=values)


def explained(error: LanguageModelError, language: str) -> str:
    """Return the message of `error` in `language` (BCP 47); empty if only English has one."""
    if error.code is not None and (translated := phrase_in(error.code, language)):
        return translated.render(**error.values)
    return str(error) if phrase("model_unavailable", language).name.endswith(".en") else ""


def as_model_error(error: Exception) -> LanguageModelError:
    """Return what a user should know about a failure of any adapter's library."""
    status = getattr(error, "status_code", None)
    name = type(error).__name__
    if isinstance(status, int):
        is_temporary = status in (408, 409, 425, 429) or status >= 500
        if status in _BY_STATUS:
            return model_error(_BY_STATUS[status], is_temporary=is_temporary)
        return model_error("model_status", is_temporary=is_temporary, status=status)
    if "Timeout" in name:
        return model_error("model_slow")
    if "Connect" in name:
        return model_error("model_unreachable", is_temporary=True)
    return model_error("model_broke_off", reason=name)
