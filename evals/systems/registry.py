"""The systems that `--system` can name, and how each is built for a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import regex

from evals.systems.base import External, Replier, System
from store.errors import RequestError
from store.settings import Settings, default_mode

ATTEST, LLAMAINDEX = "attest", "llamaindex"
Build = Callable[[Settings], AbstractContextManager[System | External]]


def build_of(spec: str) -> Build:
    """Return how the system that `spec` names is built. Raises RequestError, SuiteError for a spec that is none."""
    if spec == ATTEST:
        return build_attest
    if spec == LLAMAINDEX:
        return _build_stock
    replier = _replier(spec)

    @contextmanager
    def build(settings: Settings) -> Iterator[External]:
        from store.library import Library

        with Library.open(settings, read_only=True) as library:
            yield External(library, replier)

    return build


def build_attest(settings: Settings) -> AbstractContextManager[System | External]:
    """Return the assistant that the settings describe, of the process that owns its library if one runs like it."""
    from store.ownership.owner_client import find_equal_owner

    owner = find_equal_owner(settings)
    if owner is not None:
        from evals.systems.running_server import build_beside

        return build_beside(owner, settings)
    from assistant.build import build_assistant

    return build_assistant(settings, read_only=True)


@contextmanager
def _build_stock(settings: Settings) -> Iterator[External]:
    from assistant.llm.registry import load_model
    from evals.systems.stock import stock_engine
    from store.library import Library

    with Library.open(settings, read_only=True) as library:
        llm = load_model(settings) if default_mode(settings) == "written" else None
        yield External(library, stock_engine(library, llm))


def _replier(spec: str) -> Replier:
    if spec.startswith(("http://", "https://")):
        if urlsplit(spec).username or urlsplit(spec).password:
            raise RequestError("--system holds a name or password: take that out, and set ATTEST_SYSTEM_KEY.")
        from evals.systems.chat import ChatEndpoint

        return ChatEndpoint(spec)
    if spec.endswith((".yaml", ".yml", ".json")):
        from evals.systems.mapped import MappedEndpoint

        return MappedEndpoint(Path(spec))
    if regex.fullmatch(r"[\w.]+:[\w.]+", spec):
        from evals.systems.python import python_replier

        return python_replier(spec)
    raise RequestError(
        f"`{spec}` is no system: write {ATTEST}, {LLAMAINDEX}, an address that begins with http:// or https://, "
        "a mapping file (.yaml), or module:function."
    )


def slug(spec: str) -> str:
    """Return a folder's name for a system."""
    return regex.sub(r"[^\w.-]+", "-", spec.partition("://")[2] or Path(spec).name).strip("-.") or "system"
