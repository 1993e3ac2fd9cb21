"""Throws mutated input at everything that reads what strangers write: files, suites, backups, requests.

    python -m tests.security.fuzz --minutes 10 [--target read] [--seed 1]

Each target says what may come of any input: a value that holds its promises, or one error of ours. Anything else is a
failure, and so is more than `SECONDS` when this runs as a program: its input is written to the corpus, where `test_fuzz`
tries it again for ever. An input whose outcome was not seen before (another error, a value of another shape) becomes a
seed too; these are not kept.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.security.fuzzed import TARGETS, Target

CORPUS = Path(__file__).parent / "corpus"
SECONDS = 5.0
"""Of processor time, the most that one input may take; of a busy clock twelve times as much."""
MOST_SEEDS = 400
MOST_BYTES = 200_000
_CHARACTERS = (
    "\0 \u202e \u200b \u00ad \ufeff \U000e0041 \u0e4d\u0e32 \u2028 \f กำ ờ é 👩‍👩‍👧‍👦 🇹🇭 مُ 龍 İ ﬃ \uff0e\uff0e/"
)
_MARKUP = """../ %00 %2e%2e%2f <!-- <script> ]]> <!DOCTYPE&#32;a[<!ENTITY&#32;b&#32;'c'>]> &b; {{ ${ !!python/object [*a,*a] <<:
null true 1e999 -1 NaN [[[[ }}}} "": # > ``` |---| PK\x03\x04 %PDF-1.7 obj stream /Kids 99999999999999999999999999999999"""
CHUNKS = [
    *(bytes([value]) for value in b"\x00\n\r\x1b\"&'/:<\x7f\x80\xfe\xff"),
    *(text.encode() for text in _CHARACTERS.split(" ")),
    *(text.replace("&#32;", " ").encode() for text in _MARKUP.split()),
    *(
        b"\n  ",
        b"- ",
        b"* " * 50,
        b"&a [*a, *a]",
        b"\xd0\xcf\x11\xe0",
        b"\x81\x30\x81\x30",
        b"\xa4\xa2\xc6\xfc",
        b"\x1b$B",
    ),
]
"""What is inserted: bytes, characters and markup that readers stumble over."""


@dataclass
class Tally:
    """What became of the inputs of one target."""

    runs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[bytes, str]] = field(default_factory=list)
    slowest: float = 0.0


def processor_time() -> float:
    """Seconds of this process and of those that it started and that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class TooSlowError(Exception):
    """An input took longer than it may."""


def attempt(target: Target, data: bytes, *, timed: bool = False) -> tuple[str, str | None, float]:
    """Return what came of `data`: the kind of outcome, the failure if it is one, and the seconds.

    Slowness is a failure only if `timed`: what a test says must not depend on the machine.
    """
    start = processor_time()
    try:
        with _limit(12 * SECONDS) if timed else nullcontext():
            outcome, failure = target.run(data), None
    except Exception as error:
        outcome, failure = f"{type(error).__name__}", "".join(traceback.format_exception(error))
    seconds = processor_time() - start
    if timed and failure is None and seconds > SECONDS:
        failure = f"It took {seconds:.1f} s."
    return outcome, failure, seconds


def fuzz(target: Target, seed: int, *, seconds: float | None = None, limit: int | None = None) -> Tally:
    """Try mutated inputs for so many seconds of processor time, with a limit of time for each, or `limit` inputs."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    seeds = [*target.seeds(), *corpus(target.name)]
    tally = Tally()
    timed = seconds is not None
    end = processor_time() + (seconds or 0.0)
    waiting = list(seeds)
    while (not timed or processor_time() < end) and (limit is None or tally.runs < limit):
        data = waiting.pop() if waiting else mutated(chance, seeds)
        outcome, failure, took = attempt(target, data, timed=timed)
        tally.runs += 1
        tally.slowest = max(tally.slowest, took)
        if failure is not None:
            if outcome not in tally.outcomes:
                tally.failures.append((data, failure))
        elif outcome not in tally.outcomes and len(seeds) < MOST_SEEDS:
            seeds.append(data)
        tally.outcomes[outcome] += 1
    return tally


def mutated(chance: random.Random, seeds: list[bytes]) -> bytes:
    """One of the seeds with a few changes: flipped, inserted, copied, cut, joined with another."""
    data = bytearray(chance.choice(seeds))
    for _ in range(1 << chance.randrange(5)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at:at] = chance.choice(CHUNKS) * chance.choice((1, 1, 1, 2, 50))
        elif kind == 2:
            data[at : at + chance.randrange(1, 40)] = chance.choice(CHUNKS)
        elif kind == 3:
            del data[at : at + chance.randrange(1, 1 << chance.randrange(1, 12))]
        elif kind == 4:
            start = chance.randrange(len(data) + 1)
            data[at:at] = data[start : start + chance.randrange(1, 200)] * chance.choice((1, 1, 3, 40))
        elif kind == 5:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            data[at:] = other[start:]
        else:
            data[at : at + 4] = chance.randbytes(chance.randrange(5))
        del data[MOST_BYTES:]
    return bytes(data)


def corpus(name: str) -> list[bytes]:
    """The inputs that once failed, and some that were hard to come by."""
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]


def shrunk(target: Target, data: bytes, outcome: str) -> bytes:
    """A smaller input with the same outcome, found by leaving pieces out."""
    piece = len(data) // 2
    deadline = time.monotonic() + 20
    while piece and time.monotonic() < deadline:
        at = 0
        while at < len(data) and time.monotonic() < deadline:
            candidate = data[:at] + data[at + piece :]
            got, failure, _ = attempt(target, candidate, timed=True)
            if failure is not None and got == outcome:
                data = candidate
            else:
                at += piece
        piece //= 2
    return data


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlowError(f"over {seconds:.0f} s")

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def main(print_line: Callable[[str], object] = print) -> int:
    """Fuzz for a while, tell what was found; exit code 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=1.0, help="of processor time, in all")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    names = arguments.target or list(TARGETS)
    print_line(f"seed {arguments.seed}")
    found = 0
    for name in names:
        with TARGETS[name]() as target:
            before = processor_time()
            tally = fuzz(target, arguments.seed, seconds=arguments.minutes * 60 / len(names))
            spent = processor_time() - before
            print_line(
                f"{name:10} {tally.runs:>9,} inputs  {len(tally.outcomes):>4} outcomes  {len(tally.failures):>3} failures  "
                f"slowest {tally.slowest:.2f} s  {spent:.0f} s of processor time"
            )
            for data, failure in tally.failures:
                found += 1
                outcome, _, _ = attempt(target, data, timed=True)
                small = shrunk(target, data, outcome)
                path = CORPUS / name / hashlib.sha256(small).hexdigest()[:16]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(small)
                print_line(f"{path}:\n{failure}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
