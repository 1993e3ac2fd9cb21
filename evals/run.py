"""The engine: cases through a system into a run's folder, in several threads, to be stopped and resumed.

run_cases(system, cases, folder, ...)   asks what the folder has no result for yet
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from evals.ask import RunConfig, ask_case
from evals.run_store import RunFolder
from evals.systems.base import External, System, UnreachableError
from evals.types import Case, CaseResult

PATIENCE = 5
"""After so many cases in a row that could not reach the system, the run stops."""

OnResult = Callable[[Case, CaseResult], None]
"""Called with each result once it is safe, in the order of completion."""


@dataclass(frozen=True, slots=True)
class Task:
    """A case to be asked once."""

    case: Case
    repeat: int


def open_tasks(cases: Sequence[Case], repeat: int, done: Sequence[CaseResult]) -> tuple[Task, ...]:
    """Return what is left to ask: every case `repeat` times, all cases once before any twice.

    Results that could not reach the system don't count as done.
    """
    finished = {(result.key, result.repeat) for result in done if not result.unreachable}
    return tuple(Task(case, again) for again in range(repeat) for case in cases if (case.key, again) not in finished)


def run_cases(
    system: System | External,
    tasks: Sequence[Task],
    folder: RunFolder,
    config: RunConfig,
    *,
    jobs: int = 1,
    on_result: OnResult = lambda case, result: None,
) -> None:
    """Ask every task and append each result to the folder as it comes.

    A case that fails is a result like others. Raises UnreachableError after `PATIENCE` cases in a row
    that could not reach the system. On KeyboardInterrupt, cases under way are finished and saved first.
    """
    waiting = iter(tasks)
    under_way: dict[Future[CaseResult], Task] = {}
    out_of_reach = 0
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="eval") as pool:

        def begin(count: int) -> None:
            # No more than can be worked on: what is only queued would have to be waited for at Ctrl-C.
            for task in islice(waiting, count):
                under_way[pool.submit(ask_case, system, task.case, task.repeat, config)] = task

        try:
            begin(jobs)
            while under_way:
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    result = future.result()
                    folder.append(result)
                    on_result(under_way.pop(future).case, result)
                    out_of_reach = out_of_reach + 1 if result.unreachable else 0
                    if out_of_reach >= PATIENCE:
                        raise UnreachableError(f"The system can't be reached: {_why(result)}")
                    begin(1)
        except KeyboardInterrupt:
            folder.mend()
            for future in under_way:
                folder.append(future.result())
            raise


def _why(result: CaseResult) -> str:
    return next((turn.failure.message for turn in result.turns if turn.failure is not None), "no reason given.")
