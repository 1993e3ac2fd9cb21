"""Score a run: from its folder to a report, as often as you want, without asking again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from assistant.types import Value
from evals.aggregate import Estimate, columns_of, estimates, in_slice, slice_names, units
from evals.expectations import CaseVerdict, judge_case
from evals.formats import load_all
from evals.gates import Gate, gates
from evals.measurements import Observation, measure
from evals.metrics.abstention import reliability, risk_coverage
from evals.run_store import REPORT, RunFolder, RunInfo
from evals.types import ASPECTS, Aspect, Case, CaseResult, Judgement
from store.errors import RequestError

CURVE_POINTS = 200


class FailedCheck(Value):
    """An expectation that was not met."""

    turn: int
    expectation: str
    reason: str


class CaseScore(Value):
    """The result of one case, asked once."""

    suite: str
    id: str
    repeat: int
    question: str
    """The first turn's question."""
    passed: bool | None
    """None if the case has no expectations."""
    error: str | None = None
    failures: tuple[FailedCheck, ...] = ()
    latency_ms: float | None = None
    """The total of all its turns."""


class SliceScores(Value):
    """The metrics of one slice."""

    name: str
    cases: int
    turns: int
    metrics: dict[str, Estimate]


class Curves(Value):
    """The data of the plots."""

    risk_coverage: tuple[tuple[float, float], ...] = ()
    reliability: tuple[tuple[float, float, int], ...] = ()
    """(confidence, share of evidence that contains the answer, questions) of each bin."""
    latency_ms: tuple[float, ...] = ()
    first_quote_ms: tuple[float, ...] = ()


class Report(Value):
    """Everything known about a run: what `--json` prints and every other report renders."""

    schema_: Literal["attest.evaluation/1"] = Field(default="attest.evaluation/1", alias="schema")
    run: RunInfo
    folder: str
    segmenter: str
    planned: int
    """Cases times repetitions; fewer results mean that the run was stopped."""
    asked: int
    slices: tuple[SliceScores, ...]
    gates: tuple[Gate, ...]
    cases: tuple[CaseScore, ...]
    not_given: tuple[Aspect, ...] = ()
    """What the system doesn't report; metrics that need it have no score."""
    unstable: tuple[str, ...] = ()
    """Cases whose verdict differed between repetitions."""
    curves: Curves = Curves()

    model_config = Value.model_config | {"populate_by_name": True}

    @property
    def overall(self) -> SliceScores:
        """The scores over everything."""
        return self.slices[0]

    @property
    def met(self) -> bool:
        """Whether every threshold was met."""
        return all(gate.met for gate in self.gates)

    def slices_of(self, kind: str) -> tuple[SliceScores, ...]:
        """Return the slices of one kind: ``language``, ``pair``, ``direction``, ``tag``, ``suite``."""
        return tuple(found for found in self.slices if found.name.startswith(f"{kind}:"))


def score(
    folder: RunFolder,
    *,
    cases: Sequence[Case] | None = None,
    thresholds: Mapping[str, float] | None = None,
    judgements: Mapping[tuple[str, int, int], Judgement] | None = None,
) -> Report:
    """Return the report of a run, and write it into its folder.

    `cases` are changed expectations to use instead of the saved ones. `judgements` are by case key, repeat and turn.
    Raises RequestError for a damaged folder or an unknown metric.
    """
    info = folder.info()
    known = {case.key: case for case in (cases if cases is not None else folder.cases())}
    results = tuple(result for result in folder.results() if result.key in known)
    verdicts, observations = _observed(known, results, info, judgements or {})
    seed = info.options.seed
    found = units(observations)
    slices = tuple(
        SliceScores(
            name=name,
            cases=len({key for key, _ in inside}),
            turns=sum(turn is not None for _, turn in inside),
            metrics=estimates(inside, seed),
        )
        for name in slice_names(found) or ("all",)
        for inside in (in_slice(found, name),)
    )
    wanted = info.options.thresholds if thresholds is None else thresholds
    report = Report(
        run=info,
        folder=str(folder.path),
        segmenter=_segmenter(),
        planned=len(known) * info.options.repeat,
        asked=len(results),
        slices=slices,
        gates=gates(wanted, {one.name: one.metrics for one in slices}),
        cases=tuple(
            _case_score(known[result.key], result, verdict) for result, verdict in zip(results, verdicts, strict=True)
        ),
        not_given=tuple(aspect for aspect in ASPECTS if aspect not in given_in(results)) if results else (),
        unstable=_unstable(verdicts),
        curves=_curves(observations),
    )
    folder.write_text(REPORT, report.model_dump_json(by_alias=True) + "\n")
    return report


def changed_cases(folder: RunFolder, suites: Sequence[Path]) -> tuple[Case, ...]:
    """Return the saved cases with the suites' current expectations; those that the suites no longer have stay.

    Raises SuiteError for an unreadable suite, RequestError if a question differs from the one asked.
    """
    now = {case.key: case for suite in load_all(suites) for case in suite.cases}
    cases = tuple(now.get(case.key, case) for case in folder.cases())
    for before, after in zip(folder.cases(), cases, strict=True):
        if [turn.question for turn in before.turns] != [turn.question for turn in after.turns]:
            raise RequestError(f"{after.where}: case `{after.id}` asks something else now; run the suite again.")
    return cases


def observations_of(folder: RunFolder) -> tuple[Observation, ...]:
    """Return the observations of a saved run, for comparing it with another."""
    known = {case.key: case for case in folder.cases()}
    results = tuple(result for result in folder.results() if result.key in known)
    return _observed(known, results, folder.info(), {})[1]


def verdicts_of(folder: RunFolder) -> dict[str, tuple[Case, tuple[CaseVerdict, ...]]]:
    """Return each case that was asked, with a verdict per repetition, without cases that have no expectations."""
    known = {case.key: case for case in folder.cases()}
    found: dict[str, tuple[Case, tuple[CaseVerdict, ...]]] = {}
    results = folder.results()
    given = given_in(results)
    for result in results:
        case = known.get(result.key)
        verdict = judge_case(case, result, given) if case is not None else None
        if case is not None and verdict is not None and any(turn.verdicts for turn in verdict.turns):
            found[case.key] = (case, (*found.get(case.key, (case, ()))[1], verdict))
    return found


def given_in(results: Sequence[CaseResult]) -> frozenset[Aspect]:
    """Return what the system reported in any answer: a system that sometimes cites must meet expectations of citations."""
    return frozenset(aspect for result in results for turn in result.turns for aspect in turn.given)


def _observed(
    known: Mapping[str, Case],
    results: Sequence[CaseResult],
    info: RunInfo,
    judgements: Mapping[tuple[str, int, int], Judgement],
) -> tuple[tuple[CaseVerdict, ...], tuple[Observation, ...]]:
    depths = {suite.name: suite.retrieval_depth for suite in info.suites}
    verdicts: list[CaseVerdict] = []
    observations: list[Observation] = []
    given = given_in(results)
    for result in results:
        judged = {
            turn: judgements[result.key, result.repeat, turn]
            for turn in range(len(result.turns))
            if (result.key, result.repeat, turn) in judgements
        }
        verdict, rows = measure(known[result.key], result, depths.get(result.suite, 0), judged, given)
        verdicts.append(verdict)
        observations += rows
    return tuple(verdicts), tuple(observations)


def _segmenter() -> str:
    from evals.text import SEGMENTER

    return SEGMENTER


def _case_score(case: Case, result: CaseResult, verdict: CaseVerdict) -> CaseScore:
    took = [turn.latency_ms for turn in result.turns if turn.latency_ms is not None]
    failures = [turn.failure for turn in result.turns if turn.failure is not None]
    return CaseScore(
        suite=case.suite,
        id=case.id,
        repeat=result.repeat,
        question=case.turns[0].question,
        passed=verdict.passed if any(turn.verdicts for turn in verdict.turns) else None,
        error=f"{failures[0].kind}: {failures[0].message}" if failures else None,
        failures=tuple(
            FailedCheck(turn=turn, expectation=failed.expectation, reason=failed.reason)
            for turn, failed in verdict.failures
        ),
        latency_ms=sum(took) if took else None,
    )


def _unstable(verdicts: Sequence[CaseVerdict]) -> tuple[str, ...]:
    outcomes: dict[str, set[bool]] = {}
    for verdict in verdicts:
        outcomes.setdefault(verdict.key, set()).add(verdict.passed)
    return tuple(key for key, seen in outcomes.items() if len(seen) > 1)


def _curves(observations: Sequence[Observation]) -> Curves:
    asked = list(units(observations).values())
    scored, _, _ = columns_of(("confidence", "holds"), asked)
    curve = risk_coverage(scored["confidence"], scored["holds"])
    points = list(zip(curve.coverage, curve.risk, strict=True)) if curve else []
    step = max(1, len(points) // CURVE_POINTS)
    return Curves(
        risk_coverage=(*points[::step], points[-1]) if points else (),
        reliability=tuple(
            (one.confidence, one.accuracy, one.count) for one in reliability(scored["confidence"], scored["holds"])
        ),
        latency_ms=tuple(columns_of(("latency_ms",), asked)[0]["latency_ms"].tolist()),
        first_quote_ms=tuple(columns_of(("first_quote_ms",), asked)[0]["first_quote_ms"].tolist()),
    )
