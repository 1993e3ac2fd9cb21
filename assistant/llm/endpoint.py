"""Any OpenAI-compatible endpoint: OpenAI, Ollama, vLLM, llama.cpp's server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from assistant.llm.base import model_error

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

CONTEXT_WINDOW = 8192
TIMEOUT_SECONDS = 90.0
"""Of silence: until the connection stands, and between two pieces of a reply. A model on a processor may well
read for a minute before its first word."""


def endpoint(base_url: str, model: str, api_key: str | None = None, *, timeout: float = TIMEOUT_SECONDS) -> LLM:
    """Return the model of that name at an endpoint such as ``http://127.0.0.1:11434/v1``, which is not asked yet."""
    from assistant.llm.interruptible import InterruptibleEndpoint

    return InterruptibleEndpoint(
        model=model,
        api_base=base_url,
        # Local servers want none, but the client insists on one.
        api_key=api_key or "none",
        is_chat_model=True,
        context_window=CONTEXT_WINDOW,
        temperature=0.0,
        timeout=timeout,
        reuse_client=False,  # Each reply has an event loop of its own, and a client belongs to one.
        max_retries=0,  # The caller decides on trying again: it knows what was shown already.
    )


def served_models(base_url: str, api_key: str | None = None, *, timeout: float = 3.0) -> tuple[str, ...]:
    """Return the names of the models that an endpoint serves.

    Raises:
        LanguageModelError: it can't be reached, or is none; the message says what to check.
    """
    url = base_url.rstrip("/") + "/models"
    if not url.startswith(("http://", "https://")):
        raise model_error("model_address", address=base_url)
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {api_key}"} if api_key else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:  # noqa: S310 - http(s) only, as checked
            listed = json.load(reply)["data"]
        return tuple(str(each["id"]) for each in listed)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise model_error("model_key_at", address=base_url) from error
        raise model_error("model_status_at", address=base_url, status=error.code) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise model_error("model_unreachable_at", address=base_url) from error
