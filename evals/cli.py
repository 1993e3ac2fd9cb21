"""`attest eval`: run suites, score a run again, compare two runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evals.outputs import Outputs, output_options, report_on, summarize, write
from store.errors import AttestError, RequestError

if TYPE_CHECKING:
    from evals.formats import Suite
    from evals.session import Build
    from store.settings import Settings

INTERRUPTED = 130


@click.group(name="eval")
def evaluate() -> None:
    """Run scripted questions, score them, and compare runs.

    Exit codes: 0 all thresholds met; 1 not met, or a gate significantly worse; 2 the suite or the request
    is wrong; 3 the system under test could not be reached.
    """


@evaluate.command("run")
@click.argument("suites", nargs=-1, type=click.Path(path_type=Path))
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="The library to ask about.")
@click.option("--mode", type=click.Choice(["quotes", "written"]), help="How answers are made; else as in the settings.")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="KIND=PATTERN",
    help="Only cases whose suite, language, tag or id matches, as tag=smoke or id=th-*. Repeatable.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many cases of each suite.")
@click.option("--repeat", type=click.IntRange(1, 100), default=1, show_default=True, help="Ask each case so often.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Ask so many at once.")
@click.option("--seed", type=int, default=None, help="Of the resampling behind the intervals.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="The run's folder; else one in the home.")
@click.option("--resume", metavar="RUN", help="Go on with a run that was stopped: its folder, its name, or `latest`.")
@click.option(
    "--cache", type=click.Path(file_okay=False, path_type=Path), help="Where libraries that suites bring are kept."
)
@output_options
@click.pass_obj
def run(settings: Settings, /, suites: tuple[Path, ...], home: Path | None, **options: Any) -> int:  # noqa: ANN401
    """Ask the questions of SUITES and report; without any, those that come with the program.

    A suite is a file (YAML, JSONL, CSV; SQuAD's JSON) or a folder (a BEIR data set, or suites).
    """
    if home is not None:
        from store.settings import load_settings

        settings = load_settings(home)
    return run_command(settings, suites, **options)


def run_command(
    settings: Settings,
    suites: Sequence[Path] = (),
    *,
    mode: str | None = None,
    filters: Sequence[str] = (),
    limit: int | None = None,
    repeat: int = 1,
    jobs: int = 1,
    seed: int | None = None,
    out: Path | None = None,
    resume: str | None = None,
    cache: Path | None = None,
    thresholds: Sequence[str] = (),
    build: Build | None = None,
    **outputs: Any,  # noqa: ANN401 - the fields of Outputs
) -> int:
    """What `attest eval run` does; returns its exit code. `build` makes the system under test."""
    from evals.formats.load import load_all, shipped
    from evals.gates import parse
    from evals.libraries import cache_folder, remove_disused
    from evals.metrics.statistics import SEED
    from evals.progress import building_progress, result_progress
    from evals.run_store import RunOptions
    from evals.session import Session, build_real, find_run, thresholds_of

    wanted = dict(parse(text) for text in thresholds)
    if resume is not None:
        if suites or filters or limit or out:
            raise RequestError(
                "--resume goes on with a run as it was begun: leave out suites, --filter, --limit, --out."
            )
        session = Session.resume(find_run(settings, resume), settings)
    else:
        loaded: tuple[Suite, ...] = load_all(suites) if suites else shipped()
        gates = thresholds_of(loaded, wanted, whole=not filters and limit is None)
        options = RunOptions.model_validate(
            {
                "mode": mode,
                "filters": tuple(filters),
                "limit": limit,
                "repeat": repeat,
                "jobs": jobs,
                "thresholds": gates,
                "seed": SEED if seed is None else seed,
            }
        )
        check_thresholds(gates)
        session = Session.start(loaded, settings, options, out)
    for note in (note for suite in session.suites for note in suite.notes):
        note_on(note)
    kept = cache or cache_folder()
    try:
        with result_progress(session) as on_result, building_progress() as on_progress:
            session.ask(build or build_real, cache=kept, on_result=on_result, on_progress=on_progress, on_note=note_on)
    except RequestError:
        session.discard_if_empty()
        raise
    except (KeyboardInterrupt, AttestError) as stop:
        click.echo(f"{session.done} of {session.total} are saved. Go on with:  {session.resume_command}", err=True)
        if isinstance(stop, KeyboardInterrupt):
            return INTERRUPTED
        raise
    finally:
        remove_disused(kept)
    return report_on(session.folder, wanted if resume is not None and wanted else None, Outputs(**outputs))


def note_on(note: str) -> None:
    """Print what the user should know about a suite's data, beside the report."""
    click.echo(note, err=True)


def check_thresholds(thresholds: dict[str, float]) -> None:
    """Refuse an unknown metric before anything is asked. Raises RequestError."""
    from evals.gates import check_name

    for name in thresholds:
        check_name(name)


@evaluate.command("score")
@click.argument("run", metavar="RUN")
@click.argument("suites", nargs=-1, type=click.Path(path_type=Path))
@click.option("--judge", metavar="MODEL", help="Let this model grade the answers too: a file, or an endpoint's model.")
@click.option("--judge-url", metavar="URL", help="The OpenAI-compatible endpoint that serves the judge.")
@output_options
@click.pass_obj
def score_again(
    settings: Settings,
    /,
    run: str,
    suites: tuple[Path, ...],
    judge: str | None,
    judge_url: str | None,
    **options: Any,  # noqa: ANN401
) -> int:
    """Score the saved answers of RUN again, by the changed expectations of SUITES if any are given.

    RUN is a run's folder, its name, or `latest`. The system under test is not asked again.
    """
    from evals.gates import parse
    from evals.judge import judge_run, load_judge
    from evals.session import find_run

    folder = find_run(settings, run)
    wanted = dict(parse(text) for text in options.pop("thresholds"))
    if judge is not None:
        judge_run(folder, load_judge(settings, judge, judge_url))
    return report_on(folder, wanted or None, Outputs(**options), suites)


@evaluate.command("compare")
@click.argument("before")
@click.argument("after")
@click.option("--gate", "gates", multiple=True, metavar="METRIC", help="What blocks if it is worse. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole comparison as JSON.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write one self-contained page.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write Markdown.")
@click.pass_obj
def compare_runs(
    settings: Settings,
    before: str,
    after: str,
    gates: tuple[str, ...],
    as_json: bool,
    html: Path | None,
    markdown: Path | None,
) -> int:
    """Compare the runs BEFORE and AFTER; exit code 1 if a gate is significantly worse.

    Each is a run's folder, its name, or `latest`.
    """
    from evals.compare import compare
    from evals.reports.html import comparison_page
    from evals.reports.markdown import comparison_markdown
    from evals.reports.terminal import show_comparison, terminal
    from evals.session import find_run

    comparison = compare(find_run(settings, before), find_run(settings, after), gates)
    if as_json:
        click.echo(comparison.model_dump_json(by_alias=True, indent=2))
    else:
        show_comparison(comparison, terminal())
    write(html, lambda: comparison_page(comparison))
    write(markdown, lambda: comparison_markdown(comparison))
    summarize(lambda: comparison_markdown(comparison))
    return 1 if comparison.blocks else 0


@evaluate.command("schema")
def schema() -> None:
    """Print the JSON Schema of a suite, for editors and validators."""
    from evals.formats.schema import schema_text

    click.echo(schema_text(), nl=False)
