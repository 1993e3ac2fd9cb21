"""Attest as it runs already: its answers come by the API of the process that owns the library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from assistant.remote_assistant import RemoteAssistant
from evals.systems.base import Sources, System
from store.library import DocumentPage, Library
from store.ownership.owner_client import OwnerClient
from store.settings import Settings
from store.types import Filter, SearchResult


@dataclass(frozen=True, slots=True)
class EmbedderFacts:
    """Which model made the vectors of a library."""

    name: str
    fingerprint: str


class SourcesBeside:
    """The library as the owner searches it; texts come from the catalog, and no model is loaded."""

    def __init__(self, library: Library) -> None:
        self._library = library
        with library.snapshot() as snapshot:
            name, fingerprint = (snapshot.value(f"embedder_{fact}") or "" for fact in ("name", "fingerprint"))
        self.embedder = EmbedderFacts(name, fingerprint)

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """See `Library.search`."""
        return self._library.search(query, k, where)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """See `Library.text`."""
        return self._library.text(document_id, start, end)

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        """See `Library.documents`."""
        return self._library.documents(after, limit, where)


class SystemBeside(RemoteAssistant):
    """The assistant of another process, with the library that its answers are judged by."""

    def __init__(self, owner: OwnerClient, settings: Settings, library: Sources) -> None:
        super().__init__(owner, settings)
        self.library = library


@contextmanager
def build_beside(owner: OwnerClient, settings: Settings) -> Iterator[System]:
    """Open the library beside its owner, who answers."""
    with Library.open(settings, read_only=True) as library:
        yield SystemBeside(owner, settings, SourcesBeside(library))
