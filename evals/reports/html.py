"""Write a report as one self-contained HTML page: no network, no script, no font.

The template escapes everything from documents, questions and models; the page's own policy
also forbids scripts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from assistant.types import Answer, Evidence
from evals.compare import Compared, Comparison, tells_where
from evals.metrics.citations import quote_verdicts
from evals.registry import METRICS, metric
from evals.reports import plots
from evals.reports.figures import counts_of, headlines, interval, not_given_of, number, p_value, spread_of, title_of
from evals.run_store import RunFolder
from evals.score import CaseScore, Report, SliceScores
from evals.types import Case, Expectation, TurnResult

BARS = ("pass_rate", "gold_quoted", "hit@5", "citation_recall")
"""The metric of the bars by language: the first of these that was measured."""


@dataclass(frozen=True, slots=True)
class ShownQuote:
    """A quote in its context."""

    evidence: Evidence
    state: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """One question of a case: the expectation, the result, and the problems."""

    question: str
    language: str | None
    expected: tuple[tuple[str, str], ...]
    failures: Mapping[str, str]
    answer: Answer | None
    error: str | None
    trace: str
    quotes: tuple[ShownQuote, ...]
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class ShownCase:
    """One case, one time."""

    score: CaseScore
    tags: tuple[str, ...]
    turns: tuple[ShownTurn, ...]


def page(report: Report, folder: RunFolder, cases: Sequence[Case] | None = None) -> str:
    """Return the whole page of a run; with `cases` if other than the saved ones were used for scoring."""
    return template("report.html.jinja").render(
        title=title_of(report),
        counts=counts_of(report),
        not_given=not_given_of(report),
        report=report,
        plots=tuple(_plots(report)),
        columns=headlines(report, 8),
        cases=_cases(report, folder, cases or folder.cases()),
        environment=_environment_rows(report),
    )


def comparison_page(comparison: Comparison) -> str:
    """Return the whole page of a comparison."""
    overall = [one for one in comparison.compared if one.slice == "all"]
    slices = sorted((one for one in comparison.compared if tells_where(one)), key=lambda one: one.p or 0.0)
    return template("comparison.html.jinja").render(
        title=f"{comparison.second.name} against {comparison.first.name}",
        comparison=comparison,
        overall=overall,
        slices=slices,
        plot=difference_plot(overall),
    )


def difference_plot(compared: Sequence[Compared]) -> Markup:
    """Return the change of each share that changed, with its interval, around zero."""
    shares = [
        one
        for one in compared
        if (known := metric(one.metric)) is not None
        and known.unit == "share"
        and known.group != "expectations"
        and one.difference
    ]
    edges = [abs(edge) for one in shares for edge in (one.low, one.high, one.difference) if edge is not None]
    most = plots.nice_most(max(edges, default=0.1))
    styles = {"better": "good", "worse": "bad", "no difference shown": "a"}
    rows = [
        plots.Row(one.metric, one.difference, one.low, one.high, f"{one.difference:+.3f}", styles[one.outcome])
        for one in shares
    ]
    return plots.whiskers(rows, title="Change of each metric with its 95 % interval", least=-most, most=most)


@cache
def template(name: str) -> Template:
    """Return a page's template, which escapes all values."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "number": number,
        "interval": interval,
        "spread": spread_of,
        "p_value": p_value,
        "metric": metric,
    }
    return environment.get_template(name)


def _plots(report: Report) -> Iterator[tuple[str, str, Markup]]:
    """Yield (title, explanation, plot) for each plot with data."""
    curves = report.curves
    name = next((name for name in BARS if name in report.overall.metrics), None)
    if name is not None:
        rows = [_row(one, name) for one in (report.overall, *report.slices_of("language"), *report.slices_of("pair"))]
        title = f"{name} by language"
        yield title, METRICS[name].meaning, plots.whiskers(rows, title=title)
    if curves.risk_coverage:
        risk = plots.lines(
            [plots.Series("risk", curves.risk_coverage)],
            title="Risk and coverage",
            x="share of questions answered, surest first",
            y="share wrong",
        )
        yield "Risk and coverage", "How many answers are wrong when only the surest are given.", risk
    if curves.reliability:
        bins = tuple((confidence, held) for confidence, held, _ in curves.reliability)
        diagram = plots.lines(
            [plots.Series("evidence", bins, dots=True)],
            title="Reliability",
            x="confidence",
            y="evidence holds the answer",
            diagonal=True,
        )
        yield "Reliability", "On the dashed line, confidence means what it says.", diagram
    if curves.latency_ms:
        most = plots.nice_most(sorted(curves.latency_ms)[int(0.98 * (len(curves.latency_ms) - 1))])
        series = [plots.Series("whole answer", plots.cumulative(curves.latency_ms))]
        if curves.first_quote_ms:
            series.append(plots.Series("first quote", plots.cumulative(curves.first_quote_ms), "b"))
        times = plots.lines(series, title="Latency", x="milliseconds", y="share of answers", x_most=most)
        yield "Latency", "The share of answers that were there after so long.", times


def _row(scores: SliceScores, name: str) -> plots.Row:
    estimate = scores.metrics.get(name)
    if estimate is None:
        return plots.Row(scores.name, 0.0, None, None, "not measured")
    return plots.Row(
        scores.name, estimate.value, estimate.low, estimate.high, f"{number(name, estimate.value)} ({estimate.count})"
    )


def _cases(report: Report, folder: RunFolder, asked: Sequence[Case]) -> tuple[ShownCase, ...]:
    """Return the cases in the order of the report, failed ones first."""
    cases = {case.key: case for case in asked}
    results = {(result.key, result.repeat): result for result in folder.results()}
    shown = []
    for score in report.cases:
        key = f"{score.suite}/{score.id}"
        turns = _turns(cases[key], results[key, score.repeat].turns, score)
        shown.append(ShownCase(score=score, tags=cases[key].tags, turns=turns))
    return tuple(sorted(shown, key=lambda case: case.score.passed is not False))


def _turns(case: Case, results: Sequence[TurnResult], score: CaseScore) -> tuple[ShownTurn, ...]:
    turns = []
    for number_, turn in enumerate(case.turns):
        result = results[number_] if number_ < len(results) else TurnResult(question=turn.question)
        error = result.failure
        gold = (("gold answers", " · ".join(turn.answers)),) if turn.answers else ()
        documents = (("relevant", " · ".join(one.name for one in turn.documents)),) if turn.documents else ()
        turns.append(
            ShownTurn(
                question=turn.question,
                language=turn.language,
                expected=(*_expected(turn.expect), *gold, *documents),
                failures={one.expectation: one.reason for one in score.failures if one.turn == number_},
                answer=result.answer,
                error=f"{error.kind}: {error.message}" if error is not None else None,
                trace=error.trace if error is not None else "",
                quotes=_quotes(result),
                latency_ms=result.latency_ms,
            )
        )
    return tuple(turns)


def _expected(expect: Expectation) -> tuple[tuple[str, str], ...]:
    """Return each expectation that was set, in words."""
    found = []
    for name in Expectation.model_fields:
        value = getattr(expect, name)
        if value in (None, ()):
            continue
        if isinstance(value, tuple):
            words = " · ".join(value)
        elif isinstance(value, bool):
            words = "yes" if value else "no"
        elif hasattr(value, "reference"):
            words = f"{value.value:g} {'with ' + ' · '.join(value.reference) if value.reference else ''}"
        else:
            words = f"{value:g}" if isinstance(value, float) else str(value)
        found.append((name, words))
    return tuple(found)


def _quotes(result: TurnResult) -> tuple[ShownQuote, ...]:
    if result.answer is None:
        return ()
    checks = {check.key: check for check in result.checks}
    states = {verdict.key: verdict.state for verdict in quote_verdicts(result.answer, result.checks)}
    return tuple(
        ShownQuote(
            evidence=evidence,
            state=states[evidence.key],
            before=checks[evidence.key].before if evidence.key in checks else "",
            after=checks[evidence.key].after if evidence.key in checks else "",
        )
        for evidence in result.answer.evidence
    )


def _environment_rows(report: Report) -> tuple[tuple[str, str], ...]:
    run = report.run
    rows = [("run", run.name), ("started", run.started), ("folder", report.folder), ("words", report.segmenter)]
    rows += [(name, str(value)) for name, value in run.options.model_dump(exclude={"thresholds"}).items()]
    rows += [(name, str(value)) for name, value in (run.settings | run.environment).items()]
    for suite in run.suites:
        rows.append((f"suite {suite.name}", f"{suite.path} ({suite.sha256[:16]})"))
        rows += [(f"{suite.name}: {name}", str(value)) for name, value in suite.library.items()]
    return tuple(rows)
