"""Write a report as Markdown, for pull requests and for the summary page of a CI job."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from evals.compare import Comparison, Flip, GateCompared
from evals.registry import metric
from evals.reports.figures import counts_of, headlines, interval, not_given_of, number, p_value, spread_of, title_of
from evals.score import Report

FAILURES_SHOWN = 30
_SPECIAL = regex.compile(r"([\\`*_{}\[\]<>()#+!|~$&@])")


def markdown(report: Report) -> str:
    """Return the whole report: thresholds, metrics, slices, and what failed."""
    parts = [f"## {escape(title_of(report))}", escape(counts_of(report))]
    if report.not_given:
        parts.append(escape(not_given_of(report)))
    if report.gates:
        parts.append("\n".join(f"- {'✅' if gate.met else '❌'} {escape(gate.sentence)}" for gate in report.gates))
    rows = [
        (f"`{name}`", number(name, one.value), interval(name, one), str(one.count), escape(known.meaning))
        for name, one in report.overall.metrics.items()
        if (known := metric(name)) is not None
    ]
    parts.append(table(("metric", "value", "95 % interval", "n", "what it is"), rows))
    names = headlines(report, 6)
    slices = [
        (
            escape(one.name),
            str(one.cases),
            *(number(name, one.metrics[name].value) if name in one.metrics else "" for name in names),
        )
        for one in report.slices[1:]
    ]
    if slices:
        parts.append(table(("slice", "cases", *(f"`{name}`" for name in names)), slices))
    failed = [case for case in report.cases if case.passed is False]
    if failed:
        lines = []
        for case in failed[:FAILURES_SHOWN]:
            lines.append(f"- **{escape(f'{case.suite}/{case.id}')}** {escape(case.question)}")
            lines += [f"  - `{one.expectation}`: {escape(one.reason)}" for one in case.failures[:3]]
        more = len(failed) - FAILURES_SHOWN
        lines += [f"- and {more} more"] if more > 0 else []
        parts.append(f"<details><summary>{len(failed)} failed</summary>\n\n" + "\n".join(lines) + "\n\n</details>")
    return "\n\n".join(parts) + "\n"


def comparison_markdown(comparison: Comparison) -> str:
    """Return two runs side by side."""
    parts = [f"## {escape(comparison.second.name)} against {escape(comparison.first.name)}"]
    parts.append("\n".join(_gate(gate) for gate in comparison.gates))
    rows = [
        (
            f"`{one.metric}`",
            number(one.metric, one.first),
            number(one.metric, one.second),
            number(one.metric, one.difference),
            "" if one.low is None or one.high is None else spread_of(one.metric, one.low, one.high),
            p_value(one.p),
            one.outcome,
        )
        for one in comparison.compared
        if one.slice == "all"
    ]
    parts.append(table(("metric", "before", "after", "change", "95 % interval", "p", ""), rows))
    if comparison.flips:
        parts.append("\n".join(_flip(flip) for flip in comparison.flips[:FAILURES_SHOWN]))
    return "\n\n".join(parts) + "\n"


def _gate(gate: GateCompared) -> str:
    outcome = gate.compared.outcome if gate.compared is not None else "not measured in both"
    return f"- {'❌' if gate.blocks else '✅'} `{gate.name}`: {outcome}"


def _flip(flip: Flip) -> str:
    now = "✅ now passes" if flip.now_passes else "❌ now fails"
    return f"- {now}: **{escape(flip.key)}** {escape(flip.question)}"


def escape(text: str) -> str:
    """Return `text` on one line, escaped so that Markdown shows it unchanged."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; its cells are already Markdown."""
    lines: list[Sequence[str]] = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
