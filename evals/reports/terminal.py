"""Print a report on a terminal: tables that fit into a hundred columns, in any script."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from evals.compare import Compared, Comparison, tells_where
from evals.registry import metric
from evals.reports.figures import counts_of, headlines, interval, not_given_of, number, p_value, spread_of, title_of
from evals.score import Report, SliceScores

COLUMNS = 100
FAILURES_SHOWN = 20
SLICES_SHOWN = 30
LESS = "↓"
OUTCOMES = {"better": "better", "worse": "worse", "no difference shown": "none shown"}
STYLES = {"better": "green", "worse": "red", "no difference shown": "dim"}


def show(report: Report, console: Console) -> None:
    """Print the report."""
    console.print(Group(*_parts(report)), soft_wrap=False)


def terminal(color: bool | None = None) -> Console:
    """Return standard output, never wider than `COLUMNS`, and without color in a pipe."""
    console = Console(force_terminal=color, highlight=False, emoji=False)
    return Console(
        force_terminal=color,
        highlight=False,
        emoji=False,
        width=min(COLUMNS, console.width) if console.is_terminal else COLUMNS,
    )


def _parts(report: Report) -> Iterator[RenderableType]:
    yield Text(f"{title_of(report)}: {counts_of(report)}", style="bold")
    if report.not_given:
        yield Text(not_given_of(report))
    yield Text("")
    yield _metrics(report.overall)
    yield from _slices(report)
    failed = [case for case in report.cases if case.passed is False]
    if failed:
        yield Text(f"\nFailed ({len(failed)})", style="bold")
        for case in failed[:FAILURES_SHOWN]:
            yield Text(_clip(f"  {case.suite}/{case.id}  {case.question}"), style="red")
            for failure in case.failures[:3]:
                yield Text(_clip(f"      {failure.expectation}: {failure.reason}"))
        if len(failed) > FAILURES_SHOWN:
            yield Text(f"  ... and {len(failed) - FAILURES_SHOWN} more; see --html or --json for all.")
    yield Text("\nThresholds", style="bold")
    for gate in report.gates:
        yield Text(f"  {'met    ' if gate.met else 'NOT MET'}  {gate.sentence}", style="" if gate.met else "red")
    if all(gate.metric == "error_rate" for gate in report.gates):
        yield Text("  No other is set, so wrong answers don't fail this run; --threshold pass_rate=0.9 sets one.")
    yield Text(_clip(f"\nSaved in {report.folder}"))


def _metrics(scores: SliceScores) -> Table:
    table = _table()
    table.add_column("metric", min_width=24, no_wrap=True)
    table.add_column("value", justify="right", min_width=9, no_wrap=True)
    table.add_column("95 % interval", min_width=18, no_wrap=True)
    table.add_column("n", justify="right", min_width=5, no_wrap=True)
    table.add_column(f"what it is ({LESS} less is better)", overflow="ellipsis", no_wrap=True)
    group = ""
    for name, estimate in scores.metrics.items():
        known = metric(name)
        if known is None:
            continue
        if known.group != group:
            group = known.group
            table.add_row(Text(group.capitalize(), style="bold cyan"))
        shown = (number(name, estimate.value), interval(name, estimate), str(estimate.count), known.meaning)
        table.add_row(f"  {name}{f' {LESS}' if known.better == 'lower' else ''}", *shown)
    return table


def _slices(report: Report) -> Iterator[RenderableType]:
    """Yield a row for each slice, except if a kind of slices has only one, which would equal the total."""
    names = headlines(report, 6)
    told = [scores for kind in ("suite", "language", "pair", "direction", "tag") for scores in _several(report, kind)]
    if not told:
        return
    yield Text("\nBy slice", style="bold")
    table = _table()
    table.add_column("slice", min_width=24, overflow="ellipsis", no_wrap=True)
    table.add_column("cases", justify="right", min_width=5, no_wrap=True)
    for name in names:
        table.add_column(name.replace("_", " "), justify="right", min_width=10)
    for scores in told[:SLICES_SHOWN]:
        table.add_row(escape(scores.name), str(scores.cases), *(_cell(scores, name) for name in names))
    yield table
    if len(told) > SLICES_SHOWN:
        yield Text(f"... {len(told) - SLICES_SHOWN} more in --html and --json")


def _several(report: Report, kind: str) -> tuple[SliceScores, ...]:
    slices = report.slices_of(kind)
    return () if len(slices) == 1 and slices[0].turns == report.overall.turns else slices


def _table() -> Table:
    return Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)


def _cell(scores: SliceScores, name: str) -> str:
    estimate = scores.metrics.get(name)
    return "" if estimate is None else number(name, estimate.value)


def _clip(text: str, most: int = COLUMNS) -> str:
    """Return `text` on one line of at most the given columns, counted like a terminal."""
    start = "\n" if text.startswith("\n") else ""
    flat = text.lstrip("\n").replace("\n", " ")
    if cell_len(flat) <= most:
        return start + flat
    clipped = Text(flat)
    clipped.truncate(most, overflow="ellipsis")
    return start + clipped.plain


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Print two runs side by side."""
    console.print(Group(*_comparison_parts(comparison)), soft_wrap=False)


def _comparison_parts(comparison: Comparison) -> Iterator[RenderableType]:
    names = comparison.first.name, comparison.second.name
    yield Text(f"{names[1]} against {names[0]}: {comparison.common} cases in common", style="bold")
    for count, what in (
        (len(comparison.only_first), f"only in {names[0]}"),
        (len(comparison.only_second), f"only in {names[1]}"),
        (len(comparison.reworded), "with other questions under the same id"),
    ):
        if count:
            yield Text(f"  {count} {what}: left out")
    yield Text("")
    overall = [one for one in comparison.compared if one.slice == "all"]
    changed = [one for one in overall if one.difference]
    yield _differences(changed, "metric")
    if len(changed) < len(overall):
        yield Text(f"The other {len(overall) - len(changed)} metrics are the same in both.")
    told = sorted((one for one in comparison.compared if tells_where(one)), key=lambda one: one.p or 0.0)
    if told:
        yield Text("\nSlices that differ (p not corrected for their number)", style="bold")
        yield _differences(told[:SLICES_SHOWN], "metric[slice]")
        if len(told) > SLICES_SHOWN:
            yield Text(f"... {len(told) - SLICES_SHOWN} more in --html and --json")
    if comparison.flips:
        yield Text(f"\nFlipped ({len(comparison.flips)})", style="bold")
        for flip in comparison.flips[:FAILURES_SHOWN]:
            now = "now passes" if flip.now_passes else "now FAILS "
            yield Text(_clip(f"  {now}  {flip.key}  {flip.question}"), style="" if flip.now_passes else "red")
            for reason in flip.reasons[:2] if not flip.now_passes else ():
                yield Text(_clip(f"      {reason}"))
        if len(comparison.flips) > FAILURES_SHOWN:
            yield Text(f"  ... and {len(comparison.flips) - FAILURES_SHOWN} more; see --html or --json for all.")
    yield Text("\nGates (Holm-corrected over all of them)", style="bold")
    for gate in comparison.gates:
        if gate.compared is None:
            yield Text(f"  not measured in both runs  {gate.name}")
        else:
            p = "" if gate.adjusted_p is None else f", p {p_value(gate.adjusted_p)}"
            verdict = "SIGNIFICANTLY WORSE" if gate.blocks else "ok"
            yield Text(f"  {verdict}  {gate.name}: {gate.compared.outcome}{p}", style="red" if gate.blocks else "")


def _differences(compared: list[Compared], head: str) -> Table:
    table = _table()
    table.add_column(head, overflow="ellipsis", no_wrap=True, max_width=36)
    for column, width in (("before", 7), ("after", 7), ("change", 7), ("95 % interval", 14), ("p", 6), ("n", 3)):
        table.add_column(column, justify="right", no_wrap=True, min_width=width)
    table.add_column("", no_wrap=True, min_width=6)
    for one in compared:
        name = one.metric if one.slice == "all" else f"{one.metric}[{one.slice}]"
        sign = "+" if one.difference > 0 else ""
        spread = "" if one.low is None or one.high is None else spread_of(one.metric, one.low, one.high)
        table.add_row(
            escape(name),
            number(one.metric, one.first),
            number(one.metric, one.second),
            sign + number(one.metric, one.difference),
            spread,
            p_value(one.p),
            str(one.count),
            Text(OUTCOMES[one.outcome], style=STYLES[one.outcome]),
        )
    return table
