"""Build objects from settings: the only place that connects them. Heavy imports wait until they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.ownership.owner_socket import answer_by
from store.settings import Settings, default_mode

if TYPE_CHECKING:
    import socket

    from llama_index.core.llms import LLM

    from assistant.answer.instrumentation import InstrumentedAssistant
    from assistant.server.api.owner_server import OwnerServer
    from store.library import Library


def build_assistant(settings: Settings, *, read_only: bool = False) -> InstrumentedAssistant:
    """Return the assistant that the settings describe; use it as a context manager, which closes it.

    Its answers are logged and traced. With `read_only`, it also works next to another process that owns the library.
    """
    from store.library import Library

    answer_other_processes()
    return assistant_over(Library.open(settings, read_only=read_only))


def assistant_over(library: Library) -> InstrumentedAssistant:
    """Return the assistant that the settings of an open library describe, over that library."""
    from assistant.answer.instrumentation import InstrumentedAssistant
    from assistant.answer.pipeline import Assistant
    from assistant.tracing import trace_if_wanted

    trace_if_wanted()

    def load() -> LLM | None:
        from assistant.llm.registry import load_model

        return load_model(library.settings)

    return InstrumentedAssistant(Assistant(library, load, default_mode(library.settings)))


def answer_other_processes() -> None:
    """Let the libraries that this process owns from now on answer the user's other commands, through the API."""
    answer_by(_serve_owner)


def _serve_owner(library: Library, listener: socket.socket) -> OwnerServer:
    from assistant.server.api.owner_server import serve_owner

    return serve_owner(assistant_over(library), listener)
