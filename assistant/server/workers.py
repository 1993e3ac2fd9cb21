"""``attest serve --workers N``: start processes that answer on one port, and supervise them.

All share the socket of that port, so if one ends or dies, the others take new requests. A worker that dies is
replaced. SIGHUP replaces all, one after the other, for example after a change of settings. SIGTERM and Ctrl-C end all,
each when its answers are done. A worker also ends if its supervisor is gone.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

log = logging.getLogger(__name__)

SECONDS_FOR_ANSWERS = 45
"""How long a stopping server continues the answers that have begun."""
_BETWEEN_LOOKS = 0.5
_GRACE = SECONDS_FOR_ANSWERS + 10
"""Seconds that a worker may take to end."""
_LONGEST_PAUSE = 30.0
"""Seconds until a worker that keeps dying is started again."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a worker gets from its supervisor: file descriptors, as ``3,5,7`` on its command line."""

    listener: int
    told: int
    """Where it reports that it answers."""
    lifeline: int
    """Ends when the supervisor does."""

    @classmethod
    def parse(cls, text: str) -> Inherited:
        """Parse the output of `str`."""
        return cls(*map(int, text.split(",")))

    def __str__(self) -> str:
        return f"{self.listener},{self.told},{self.lifeline}"

    def socket(self) -> socket.socket:
        """Return the socket that all workers listen on."""
        return socket.socket(fileno=self.listener)

    def tell(self) -> None:
        """Report that this worker answers."""
        with suppress(OSError):
            os.write(self.told, b"\n")
            os.close(self.told)

    def end_with_supervisor(self) -> None:
        """From now on, end as on SIGTERM when the supervisor is gone."""

        def wait() -> None:
            os.read(self.lifeline, 1)
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, name="lifeline", daemon=True).start()


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    told: int
    """Becomes readable when the worker answers."""
    answers: bool = False
    ends_by: float | None = None
    """When to kill it, if it was told to end."""


@dataclass(slots=True)
class _Wishes:
    """What signals have requested."""

    stop: bool = False
    replace: bool = False
    wake: tuple[int, int] = field(default_factory=os.pipe)

    def note(self, number: int, _: FrameType | None) -> None:
        self.stop |= number != signal.SIGHUP
        self.replace |= number == signal.SIGHUP
        os.write(self.wake[1], b"\n")


class Supervisor:
    """Keeps `count` workers answering at a socket."""

    def __init__(
        self,
        command: Callable[[Inherited], Sequence[str]],
        listener: socket.socket,
        count: int,
        announce: Callable[[], None],
    ) -> None:
        """`command` starts a worker; `announce` is called when the first one answers."""
        self._command = command
        self._listener = listener
        self._count = count
        self._announce = announce
        self._workers: list[_Worker] = []
        self._to_replace: list[_Worker] = []
        self._lifeline = os.pipe()
        self._announced = False
        self._pause = 0.0
        self._not_before = 0.0

    def run(self) -> int:
        """Supervise until a signal ends it; return the exit code, which is a worker's if none ever answers."""
        with _signals() as wishes, closing(selectors.DefaultSelector()) as selector:
            selector.register(wishes.wake[0], selectors.EVENT_READ)
            while not wishes.stop:
                self._fill()
                self._wait(selector, wishes.wake[0])
                if (code := self._look()) is not None:
                    self._end_all()
                    return code
                if wishes.replace:
                    wishes.replace = False
                    self._to_replace = [each for each in self._workers if each.ends_by is None]
            self._end_all()
        return 0

    def _fill(self) -> None:
        """Start missing workers, and one more if a worker should be replaced."""
        lasting = [each for each in self._workers if each.ends_by is None]
        self._to_replace = [each for each in self._to_replace if each in lasting]
        wanted = self._count + bool(self._to_replace)
        if len(lasting) < wanted and time.monotonic() >= self._not_before:
            self._workers += [self._start() for _ in range(wanted - len(lasting))]

    def _start(self) -> _Worker:
        told, telling = os.pipe()
        inherited = Inherited(self._listener.fileno(), telling, self._lifeline[0])
        process = subprocess.Popen(  # noqa: S603 - our own command
            self._command(inherited),
            pass_fds=(inherited.listener, inherited.told, inherited.lifeline),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the supervisor, which tells the workers
        )
        os.close(telling)
        return _Worker(process, told)

    def _wait(self, selector: selectors.BaseSelector, wake: int) -> None:
        starting = [each for each in self._workers if not each.answers and each.told >= 0]
        for each in starting:
            selector.register(each.told, selectors.EVENT_READ, each)
        for key, _ in selector.select(_BETWEEN_LOOKS):
            if key.fd == wake:
                os.read(wake, 100)
            else:
                key.data.answers = os.read(key.fd, 1) != b""
                if key.data.answers:
                    self._begins_to_answer()
        for each in starting:
            selector.unregister(each.told)

    def _begins_to_answer(self) -> None:
        self._pause = 0.0
        if not self._announced:
            self._announced = True
            self._announce()
        if self._to_replace:
            self._tell_to_end(self._to_replace.pop(0))

    def _look(self) -> int | None:
        """Forget workers that have ended; return the exit code if starting others would be useless."""
        for each in list(self._workers):
            if each.ends_by is not None and time.monotonic() > each.ends_by:
                each.process.kill()
            if each.process.poll() is None:
                continue
            os.close(each.told)
            self._workers.remove(each)
            if each.ends_by is not None:
                continue
            if not self._announced:
                return each.process.returncode or 1
            log.warning(
                "Worker %d ended with code %d; another takes its place.", each.process.pid, each.process.returncode
            )
            if not each.answers:
                self._pause = min(_LONGEST_PAUSE, self._pause * 2 or 1.0)
            self._not_before = time.monotonic() + self._pause
        return None

    def _tell_to_end(self, worker: _Worker) -> None:
        worker.ends_by = time.monotonic() + _GRACE
        worker.process.terminate()

    def _end_all(self) -> None:
        # As long as this process has the port, the system takes connections that no worker would ever accept.
        self._listener.close()
        for each in self._workers:
            if each.ends_by is None:
                self._tell_to_end(each)
        while self._workers:
            self._look()
            time.sleep(0.02)


@contextmanager
def _signals() -> Iterator[_Wishes]:
    wishes = _Wishes()
    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    before = {number: signal.signal(number, wishes.note) for number in numbers}
    try:
        yield wishes
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
