"""Build objects from settings: the only place that decides what is wired to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.answer.instrumentation import InstrumentedAssistant
from assistant.answer.pipeline import Assistant
from assistant.tracing import trace_if_wanted
from assistant.types import Mode
from store.library import Library
from store.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import LLM


def build_assistant(settings: Settings, *, read_only: bool = False) -> InstrumentedAssistant:
    """Return the assistant that the settings describe; use it as a context manager, which closes it.

    Its answers are logged and traced. With `read_only` it also works beside another process that owns the library.
    """
    trace_if_wanted()

    def load() -> LLM | None:
        from assistant.llm.registry import load_model

        return load_model(settings)

    library = Library.open(settings, read_only=read_only)
    return InstrumentedAssistant(Assistant(library, load, default_mode(settings)))


def default_mode(settings: Settings) -> Mode:
    """Return quotes, unless the settings ask for written answers or name a model to write them."""
    if settings.mode != "auto":
        return settings.mode
    return "written" if settings.model or settings.base_url else "quotes"
