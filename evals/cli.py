"""`attest eval`: run suites, score a run again, compare two runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evals.outputs import Outputs, output_options, report_on, summarize, write

if TYPE_CHECKING:
    from store.settings import Settings


@click.group(name="eval")
def evaluate() -> None:
    """Run scripted questions, score them, and compare runs.

    Exit codes: 0 all thresholds met; 1 not met, or a gate significantly worse; 2 the suite or the request
    is wrong; 3 the system under test could not be reached.
    """


@evaluate.command("run")
@click.argument("suites", nargs=-1, type=click.Path(path_type=Path))
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
@click.option(
    "--system",
    "systems",
    multiple=True,
    metavar="SYSTEM",
    help="What to ask: attest, llamaindex, the address of a chat endpoint (its key in ATTEST_SYSTEM_KEY), a mapping "
    "file, or module:function. Several stand side by side.  [default: attest]",
)
@click.option("--drafts", is_flag=True, help="Ask the cases too that nobody has looked through yet.")
@output_options
@click.pass_obj
def run(settings: Settings, /, suites: tuple[Path, ...], **options: Any) -> int:  # noqa: ANN401
    """Ask the questions of SUITES and report; without any, those that come with the program.

    A suite is a file (YAML, JSONL, CSV; SQuAD's JSON; data sets of promptfoo, ragas, DeepEval, OpenAI Evals) or a folder (a BEIR
    data set, or suites).
    """
    from evals.run_command import run_command

    return run_command(settings, suites, **options)


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
@click.argument("more", nargs=-1)
@click.option("--gate", "gates", multiple=True, metavar="METRIC", help="What blocks if it is worse. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole comparison as JSON.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write one self-contained page.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write Markdown.")
@click.pass_obj
def compare_runs(
    settings: Settings,
    before: str,
    after: str,
    more: tuple[str, ...],
    gates: tuple[str, ...],
    as_json: bool,
    html: Path | None,
    markdown: Path | None,
) -> int:
    """Compare the runs BEFORE and AFTER; exit code 1 if a gate is significantly worse.

    Each is a run's folder, its name, or `latest`. With MORE runs, all stand side by side, and none blocks.
    """
    from evals.compare import compare
    from evals.reports.html import comparison_page
    from evals.reports.markdown import comparison_markdown
    from evals.reports.terminal import show_comparison, terminal
    from evals.session import find_run

    if more:
        from evals.reports.side_by_side import show_side_by_side

        folders = [find_run(settings, named) for named in (before, after, *more)]
        show_side_by_side(folders, Outputs(as_json=as_json, html=html, markdown=markdown))
        return 0
    comparison = compare(find_run(settings, before), find_run(settings, after), gates)
    if as_json:
        click.echo(comparison.model_dump_json(by_alias=True, indent=2))
    else:
        show_comparison(comparison, terminal())
    write(html, lambda: comparison_page(comparison))
    write(markdown, lambda: comparison_markdown(comparison))
    summarize(lambda: comparison_markdown(comparison))
    return 1 if comparison.blocks else 0


@evaluate.command("convert")
@click.argument("suite", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--to",
    "kind",
    required=True,
    type=click.Choice(["attest", "promptfoo", "ragas", "deepeval", "huggingface", "openai-evals"]),
    help="Whose data set to write.",
)
def convert(suite: Path, target: Path, kind: str) -> None:
    """Write SUITE in the format of another tool; what that can't express is named.

    The notation is that of the name: .yaml for attest and promptfoo, .jsonl for openai-evals, .json, .jsonl or .csv for
    the others.
    """
    from evals.formats import load
    from evals.formats.convert import converted

    read = load(suite)
    text, notes = converted(read, kind, target.suffix.lower())
    for note in (*read.notes, *notes):
        click.echo(note, err=True)
    write(target, lambda: text)


@evaluate.command("make")
@click.argument("target", metavar="SUITE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--languages", metavar="TAGS", help="As th,vi,en.  [default: those of the library]")
@click.option(
    "--count", type=click.IntRange(1, 1000), default=20, show_default=True, help="Questions in each language."
)
@click.pass_obj
def make(settings: Settings, /, target: Path, languages: str | None, count: int) -> None:
    """Draft the suite SUITE, a YAML file, from what the library holds.

    Questions are made of sentences that surely answer them, and near-misses by changing a year, a number or a name.
    Each case says where it comes from, and is a draft until a person takes out its line `draft: true`.
    """
    from evals.drafts import check_new, draft_suite
    from store.library import Library

    wanted = [tag.strip() for tag in (languages or "").split(",") if tag.strip()]
    check_new(target)
    with Library.open(settings, read_only=True) as library:
        drafted = draft_suite(library, target.stem, wanted, count)
    write(target, lambda: drafted.text)
    made = ", ".join(f"{number} in {language}" for language, number in drafted.questions.items())
    click.echo(f"{target}: {made}, and {drafted.near_misses} near-misses, all of them drafts.")


@evaluate.command("review")
@click.argument("suite", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--accept", "accepted", multiple=True, metavar="ID", help="Let this draft count. Repeatable.")
@click.option("--drop", "dropped", multiple=True, metavar="ID", help="Take this draft out. Repeatable.")
@click.option("--question", metavar="TEXT", help="With one --accept: what it asks instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the drafts that are left as JSON.")
def review(
    suite: Path, accepted: tuple[str, ...], dropped: tuple[str, ...], question: str | None, as_json: bool
) -> None:
    """List the drafts of SUITE, after those named were accepted or dropped."""
    import json
    from dataclasses import asdict

    from evals.review import accept, drafts_of, drop
    from store.errors import RequestError

    if question is not None and len(accepted) != 1:
        raise RequestError("--question changes one draft: name it with one --accept.")
    drafts_of(suite)
    for identity in accepted:
        accept(suite, identity, question)
    for identity in dropped:
        drop(suite, identity)
    left = drafts_of(suite)
    if as_json:
        click.echo(json.dumps([asdict(draft) for draft in left], ensure_ascii=False, indent=2))
        return
    for draft in left:
        click.echo(f"{draft.id}: {draft.question}\n    {'; '.join(draft.answers) or 'no answer'}. {draft.note}")
    click.echo(f"{len(left)} drafts are left.")


@evaluate.command("schema")
def schema() -> None:
    """Print the JSON Schema of a suite, for editors and validators."""
    from evals.formats.attest import schema_text

    click.echo(schema_text(), nl=False)
