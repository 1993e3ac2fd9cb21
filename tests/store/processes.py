"""Start other processes for tests from a server with the heavy imports already done, so that each is cheap."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from assistant.build import answer_other_processes
from store.library import Library
from store.types import ParsedDocument
from tests.store.building import HashingEmbedder

answer_other_processes()  # as the program does where it starts

PRELOADED = ["tests.store.preloaded", "tests.store.processes"]


def context() -> ForkServerContext:
    """A way to start processes that share nothing with this one."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOADED)
    return made


def run(target: Callable[..., None], *arguments: object, timeout: float = 60) -> int | None:
    """Run `target` in a process of its own; returns its exit code, negative for a signal."""
    process = context().Process(target=target, args=arguments)
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"{target.__name__} hung")
    return process.exitcode


def kill_at(step: str, call: int, *, after: bool) -> None:
    """From now on, kill this process without warning at the n-th call of a function, before or after it.

    `step` is like ``store.index.vector_index:VectorIndex.add``.
    """
    module, _, path = step.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    original = getattr(owner, name)
    calls = 0

    def wrapped(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **options)
        if calls == call and after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapped)


def ingest(home: Path, documents: list[ParsedDocument], removed: list[str], step: str, call: int, after: bool) -> None:
    """Add documents and remove others, until killed."""
    if step:
        kill_at(step, call, after=after)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        for _ in library.add_many(documents):
            pass
        for uri in removed:
            document = library.find_document(uri)
            if document is not None:
                library.remove(document.id)


def rebuild(home: Path, step: str, call: int, after: bool, embedder: HashingEmbedder | None) -> None:
    """Rebuild, with another embedder's vectors if one is given, until killed."""
    if step:
        kill_at(step, call, after=after)
    with Library.open(home, embedder=None if embedder else HashingEmbedder()) as library:
        if embedder is not None:
            library.ownership._embedder = embedder  # what the settings would load
        library.rebuild(embed=embedder is not None)
