"""Replace a Chromium that no longer answers.

After hundreds of tests, a browser can stop answering forever, without a message and without ending (Playwright issues
3939 and 42692), and Playwright waits forever for some of its answers. So opening and closing a page, which are not under
test, have a time limit: a browser that takes longer is ended, and the next page opens in a new one.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.browser import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, BrowserType, Page

PATIENCE = 600.0
"""Seconds for what takes a fraction of one."""


class LastingBrowser:
    """Opens and closes pages in a Chromium that is there as long as it is needed."""

    def __init__(self, kind: BrowserType, path: Path, patience: float = PATIENCE) -> None:
        self._kind = kind
        self._path = path
        self._patience = patience
        self.mark = ""
        """An argument of the browser's processes that no other has."""
        self._running: Browser | None = None

    def open(self, prepare: Callable[[Browser], BrowserContext]) -> tuple[BrowserContext, Page]:
        """A new page in the context that `prepare` gives; once more, in a new browser, if this one doesn't answer."""
        from playwright.sync_api import Error

        try:
            return self._open(prepare)
        except Error:
            if self.is_alive():
                raise
            return self._open(prepare)

    def new_page(self, **options: Any) -> Page:
        """A new page in a context of its own."""
        return self.open(lambda browser: browser.new_context(**options))[1]

    def put_away(self, close: Callable[[], object]) -> None:
        """Close something; if the browser ends meanwhile, it is closed as well."""
        from playwright.sync_api import Error

        try:
            with self._watched():
                close()
        except Error:
            if self.is_alive():
                raise

    def is_alive(self) -> bool:
        """Whether a browser runs that can be asked."""
        return self._running is not None and self._running.is_connected()

    def close(self) -> None:
        """End the browser."""
        if self._running is not None:
            self.put_away(self._running.close)

    def _open(self, prepare: Callable[[Browser], BrowserContext]) -> tuple[BrowserContext, Page]:
        if self._running is None or not self._running.is_connected():
            self.mark = f"--opened-by-tests={uuid4().hex}"
            self._running = self._kind.launch(executable_path=str(self._path), args=[*FLAGS, self.mark])
        with self._watched():
            context = prepare(self._running)
            return context, context.new_page()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        watch = threading.Timer(self._patience, end_processes, [self.mark])
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()


def end_processes(mark: str) -> None:
    """End each process that was started with the argument `mark`."""
    for identity in processes(mark):
        with suppress(ProcessLookupError):
            os.kill(identity, signal.SIGKILL)


def processes(mark: str) -> Iterator[int]:
    """Each process that was started with the argument `mark`; none where the system doesn't list them."""
    for listed in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            if mark.encode() in listed.read_bytes().split(b"\0"):
                yield int(listed.parent.name)
