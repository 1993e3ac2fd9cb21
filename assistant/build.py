"""Settings to objects: the only place that decides what is wired to what."""

from __future__ import annotations

from assistant.answer import Assistant
from store.library import Library
from store.settings import Settings


def build_assistant(settings: Settings, *, read_only: bool = False) -> Assistant:
    """The assistant that the settings describe; close it, or use it as a context manager.

    With `read_only` it also works beside another process that owns the library.
    """
    return Assistant(Library.open(settings, read_only=read_only))
