"""List the systems that `--system` can name, and build each for a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import regex

from assistant.remote_assistant import RemoteAssistant
from evals.systems.base import External, Replier, Sources, System
from store.errors import RequestError
from store.library import DocumentPage, Library
from store.ownership.owner_client import OwnerClient, find_equal_owner
from store.settings import Settings, default_mode
from store.types import Filter, SearchResult

ATTEST, LLAMAINDEX = "attest", "llamaindex"
Build = Callable[[Settings], AbstractContextManager[System | External]]


def build_of(spec: str) -> Build:
    """Return the builder for the system `spec`. Raises RequestError, SuiteError for an invalid one."""
    if spec == ATTEST:
        return build_attest
    if spec == LLAMAINDEX:
        return _build_stock
    replier = _replier(spec)

    @contextmanager
    def build(settings: Settings) -> Iterator[External]:
        with Library.open(settings, read_only=True) as library:
            yield External(library, replier)

    return build


def build_attest(settings: Settings) -> AbstractContextManager[System | External]:
    """Return the assistant that the settings describe; that of the library's owner if it has the same settings."""
    owner = find_equal_owner(settings)
    if owner is not None:
        return _build_beside(owner, settings)
    from assistant.build import build_assistant

    return build_assistant(settings, read_only=True)


@dataclass(frozen=True, slots=True)
class _EmbedderFacts:
    """The model of a library's vectors."""

    name: str
    fingerprint: str


class _SourcesBeside:
    """The library, searched by its owner; texts come from the catalog, and no model is loaded."""

    def __init__(self, library: Library) -> None:
        self._library = library
        with library.snapshot() as snapshot:
            name, fingerprint = (snapshot.value(f"embedder_{fact}") or "" for fact in ("name", "fingerprint"))
        self.embedder = _EmbedderFacts(name, fingerprint)

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """See `Library.search`."""
        return self._library.search(query, k, where)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """See `Library.text`."""
        return self._library.text(document_id, start, end)

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        """See `Library.documents`."""
        return self._library.documents(after, limit, where)


class _SystemBeside(RemoteAssistant):
    """Another process's assistant, with the library for judging its answers."""

    def __init__(self, owner: OwnerClient, settings: Settings, library: Sources) -> None:
        super().__init__(owner, settings)
        self.library = library


@contextmanager
def _build_beside(owner: OwnerClient, settings: Settings) -> Iterator[System]:
    """Open the library next to its owner, who answers."""
    with Library.open(settings, read_only=True) as library:
        yield _SystemBeside(owner, settings, _SourcesBeside(library))


@contextmanager
def _build_stock(settings: Settings) -> Iterator[External]:
    from assistant.llm.registry import load_model
    from evals.systems.stock import stock_engine

    with Library.open(settings, read_only=True) as library:
        llm = load_model(settings) if default_mode(settings) == "written" else None
        yield External(library, stock_engine(library, llm))


def _replier(spec: str) -> Replier:
    if spec.startswith(("http://", "https://")):
        if urlsplit(spec).username or urlsplit(spec).password:
            raise RequestError("--system holds a name or password: take that out, and set ATTEST_SYSTEM_KEY.")
        from evals.systems.endpoints import ChatEndpoint

        return ChatEndpoint(spec)
    if spec.endswith((".yaml", ".yml", ".json")):
        from evals.systems.endpoints import MappedEndpoint

        return MappedEndpoint(Path(spec))
    if regex.fullmatch(r"[\w.]+:[\w.]+", spec):
        from evals.systems.python import python_replier

        return python_replier(spec)
    raise RequestError(
        f"`{spec}` is no system: write {ATTEST}, {LLAMAINDEX}, an address that begins with http:// or https://, "
        "a mapping file (.yaml), or module:function."
    )


def slug(spec: str) -> str:
    """Return a folder name for a system."""
    return regex.sub(r"[^\w.-]+", "-", spec.partition("://")[2] or Path(spec).name).strip("-.") or "system"
