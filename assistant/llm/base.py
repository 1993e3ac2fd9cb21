"""What all adapters share: counting tokens, and turning a library's failures into our own errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from assistant.answer.spans import Span
from store.errors import LanguageModelError

if TYPE_CHECKING:
    import tiktoken
    from llama_index.core.llms import LLM, ChatMessage


def counter_of(llm: LLM) -> Callable[[str], int]:
    """How many tokens a text has for `llm`: by its own tokenizer where it has one, else by tiktoken's cl100k_base.

    cl100k_base ships with LlamaIndex, so that counting never downloads anything. Counting raises LanguageModelError
    where the model's own tokenizer fails, which may be a server.
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
    """Tokens of `text` in cl100k_base."""
    return len(_encoding().encode(text, disallowed_special=()))


@cache
def _encoding() -> tiktoken.Encoding:
    import tiktoken
    from llama_index.core.utils import get_tokenizer

    get_tokenizer()  # Loads it from the vocabulary that LlamaIndex ships; tiktoken remembers it.
    return tiktoken.get_encoding("cl100k_base")


BEAT_SECONDS = 0.25
"""How often our adapters give an empty piece while the model is silent: the moments at which they can be stopped."""


def stream_text(llm: LLM, messages: list[ChatMessage], **options: object) -> Iterator[str]:
    """The pieces of the model's reply as they come, empty ones among them. Closing the iterator stops the generation.

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


_BY_STATUS = {
    401: "The language model's endpoint refused the key: set ATTEST_API_KEY to one that it accepts.",
    403: "The language model's endpoint refused the key: set ATTEST_API_KEY to one that it accepts.",
    404: "The endpoint knows no such model: set `model` to one that it serves.",
    429: "The language model's endpoint is busy or its quota is used up: try again later.",
}


def as_model_error(error: Exception) -> LanguageModelError:
    """What a user should know of a failure of any adapter's library."""
    status = getattr(error, "status_code", None)
    name = type(error).__name__
    if isinstance(status, int):
        failed = f"The language model's endpoint failed with status {status}: try again later."
        temporary = status in (408, 409, 425, 429) or status >= 500
        return LanguageModelError(_BY_STATUS.get(status, failed), is_temporary=temporary)
    if "Timeout" in name:
        return LanguageModelError("The language model did not answer in time: try again, or choose a faster one.")
    if "Connect" in name:
        unreachable = "The language model can't be reached: check `base_url` and that it is running."
        return LanguageModelError(unreachable, is_temporary=True)
    return LanguageModelError(f"The language model broke off ({name}): try again, or choose another one.")
