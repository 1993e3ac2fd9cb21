"""Settings to objects: the only place that decides what is wired to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.answer.pipeline import Assistant
from assistant.tracing import trace_if_wanted
from assistant.types import Mode
from store.library import Library
from store.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import LLM


def build_assistant(settings: Settings, *, read_only: bool = False) -> Assistant:
    """The assistant that the settings describe; close it, or use it as a context manager.

    With `read_only` it also works beside another process that owns the library.
    """
    trace_if_wanted()

    def load() -> LLM | None:
        from assistant.llm.registry import load_model

        return load_model(settings)

    return Assistant(Library.open(settings, read_only=read_only), load, default_mode(settings))


def default_mode(settings: Settings) -> Mode:
    """Quotes, unless the settings ask for written answers or name a model to write them."""
    if settings.mode != "auto":
        return settings.mode
    return "written" if settings.model or settings.base_url else "quotes"
