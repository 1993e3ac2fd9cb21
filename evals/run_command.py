"""Run `attest eval run`: one run, or one per system, and the report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from evals.ask import OnResult
from evals.expectations import judge_case
from evals.formats import Suite
from evals.formats.load import load_all, shipped, without_drafts
from evals.gates import check_name, parse
from evals.libraries import cache_folder, remove_disused
from evals.metrics.statistics import SEED
from evals.outputs import Outputs, report_on
from evals.run_store import RunFolder, RunOptions, run_name
from evals.score import given_in
from evals.session import Session, find_run, free_folder, thresholds_of
from evals.systems.registry import ATTEST, Build, build_of, slug
from evals.types import Case, CaseResult
from store.errors import AttestError, RequestError
from store.settings import Settings

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class _Stopped:
    """The user stopped the run."""

    exit_code: int = INTERRUPTED


def run_command(
    settings: Settings,
    suites: Sequence[Path] = (),
    *,
    systems: Sequence[str] = (),
    mode: str | None = None,
    filters: Sequence[str] = (),
    limit: int | None = None,
    repeat: int = 1,
    jobs: int = 1,
    seed: int | None = None,
    out: Path | None = None,
    resume: str | None = None,
    cache: Path | None = None,
    drafts: bool = False,
    thresholds: Sequence[str] = (),
    build: Build | None = None,
    **outputs: Any,  # noqa: ANN401 - the fields of Outputs
) -> int:
    """Run, report, and return the exit code. `build` makes the system under test, instead of the one named.

    With several `systems`, each gets a run in its own folder, and thresholds apply to the first.
    """
    wanted = dict(parse(text) for text in thresholds)
    if resume is not None:
        if suites or filters or limit or out or systems or drafts:
            raise RequestError(
                "--resume goes on with a run as it was begun: leave out suites, --filter, --limit, --out, --system, --drafts."
            )
        session = Session.resume(find_run(settings, resume), settings)
        stopped = _ask(session, build or build_of(session.folder.info().options.system), cache)
        return stopped.exit_code if stopped else report_on(session.folder, wanted or None, Outputs(**outputs))
    if len(set(systems)) < len(systems):
        raise RequestError("--system names one system twice.")
    loaded = [suite if drafts else without_drafts(suite) for suite in (load_all(suites) if suites else shipped())]
    named = tuple(systems) or (ATTEST,)
    whole = out or (free_folder(settings, run_name()) if len(named) > 1 else None)
    chosen = {
        "mode": mode,
        "filters": tuple(filters),
        "limit": limit,
        "repeat": repeat,
        "jobs": jobs,
        "seed": SEED if seed is None else seed,
    }
    builds = [build or build_of(system) for system in named]  # refuse an invalid system before asking any
    folders: list[RunFolder] = []
    for system, built in zip(named, builds, strict=True):
        options = RunOptions.model_validate(
            chosen | {"system": system, "thresholds": _thresholds(loaded, wanted, chosen, system)}
        )
        place = whole / slug(system) if whole is not None and len(named) > 1 else whole
        session = Session.start(loaded, settings, options, place)
        stopped = _ask(session, built, cache)
        if stopped:
            return stopped.exit_code
        folders.append(session.folder)
    if len(folders) == 1:
        return report_on(folders[0], None, Outputs(**outputs))
    from evals.reports.side_by_side import show_side_by_side

    return show_side_by_side(folders, Outputs(**outputs))


def _thresholds(
    suites: Sequence[Suite], wanted: dict[str, float], chosen: dict[str, Any], system: str
) -> dict[str, float]:
    """Return the thresholds of a run. A suite's own ones apply to Attest, if the whole suite is asked."""
    whole = not chosen["filters"] and chosen["limit"] is None and system == ATTEST
    found = thresholds_of(suites, wanted, whole=whole)
    for name in found:
        check_name(name)
    return found


def _ask(session: Session, build: Build, cache: Path | None) -> _Stopped | None:
    """Ask what has no result yet; say how to continue after a stop."""
    for note in (note for suite in session.suites for note in suite.notes):
        note_on(note)
    kept = cache or cache_folder()
    try:
        with result_progress(session) as on_result, building_progress() as on_progress:
            session.ask(build, cache=kept, on_result=on_result, on_progress=on_progress, on_note=note_on)
    except RequestError:
        session.discard_if_empty()
        raise
    except (KeyboardInterrupt, AttestError) as stop:
        click.echo(f"{session.done} of {session.total} are saved. Go on with:  {session.resume_command}", err=True)
        if isinstance(stop, KeyboardInterrupt):
            return _Stopped()
        raise
    finally:
        remove_disused(kept)
    return None


def note_on(note: str) -> None:
    """Print a note for the user about a suite's data, next to the report."""
    click.echo(note, err=True)


@contextmanager
def result_progress(session: Session) -> Iterator[OnResult]:
    """Show a progress bar on a terminal, and always a line for each failure when it occurs."""
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
    """Show a progress bar for building the suites' libraries."""
    bar = tqdm(unit="passage", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False, delay=1)

    def on_progress(name: str, done: int, known: int) -> None:
        bar.set_description(f"reading the documents of {name}")
        bar.total = known
        bar.update(done - bar.n)

    with bar:
        yield on_progress
