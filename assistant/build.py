"""Build objects from settings: the only place that decides what is wired to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.answer.instrumentation import InstrumentedAssistant
from assistant.answer.pipeline import Assistant
from assistant.tracing import trace_if_wanted
from store.library import Library
from store.settings import Settings, default_mode

if TYPE_CHECKING:
    from llama_index.core.llms import LLM


def build_assistant(settings: Settings, *, read_only: bool = False) -> InstrumentedAssistant:
    """Return the assistant that the settings describe; use it as a context manager, which closes it.

    Its answers are logged and traced. With `read_only` it also works beside another process that owns the library.
    """
    return assistant_over(Library.open(settings, read_only=read_only))


def assistant_over(library: Library) -> InstrumentedAssistant:
    """Return the assistant that the settings of an open library describe, over that library."""
    trace_if_wanted()

    def load() -> LLM | None:
        from assistant.llm.registry import load_model

        return load_model(library.settings)

    return InstrumentedAssistant(Assistant(library, load, default_mode(library.settings)))
