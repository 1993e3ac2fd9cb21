"""How a run gets on, on standard error: a bar on a terminal, a line for each failure anywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from evals.expectations import judge_case
from evals.run import OnResult
from evals.score import given_in
from evals.session import Session
from evals.types import Case, CaseResult


@contextmanager
def result_progress(session: Session) -> Iterator[OnResult]:
    """A progress bar on a terminal, and in any case a line for each failure as it comes."""
    bar = tqdm(total=session.total, initial=session.done, unit="case", file=sys.stderr, disable=not sys.stderr.isatty())

    def on_result(case: Case, result: CaseResult) -> None:
        verdict = judge_case(case, result, given_in([result]))
        if not verdict.passed:
            turn, failed = verdict.failures[0]
            where = f" (turn {turn + 1})" if len(case.turns) > 1 else ""
            tqdm.write(f"failed {case.key}{where}: {failed.reason}", file=sys.stderr)
        bar.update()

    with bar:
        yield on_result


@contextmanager
def building_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for the libraries that suites bring."""
    bar = tqdm(unit="passage", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False, delay=1)

    def on_progress(name: str, done: int, known: int) -> None:
        bar.set_description(f"reading the documents of {name}")
        bar.total = known
        bar.update(done - bar.n)

    with bar:
        yield on_progress
