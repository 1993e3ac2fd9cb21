"""Turn each saved result into numbers: one `Observation` per turn, and one per case for its verdict.

A metric that doesn't apply to a turn is absent, not zero. A failed turn gave the user nothing, so its answer and
citations of gold count as zero, not as absent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.types import Answer, Evidence
from evals.expectations import CaseVerdict, CheckResult, judge_case
from evals.metrics import answers, citations, retrieval
from evals.registry import EXPECT
from evals.text import base_language, contains, same_language, without_markers
from evals.text_checks import comparable_text, other_language
from evals.types import ASPECTS, Aspect, Case, CaseResult, GoldSpan, Judgement, Turn, TurnResult

DEPTHS = (1, 3, 5, 10)
RECALL_DEPTHS = (5, 10, 100)
DEEP = 100
"""Recall at this depth is only reported if that much was retrieved."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Numbers for one turn of one case, asked once; `turn` None means the case as a whole."""

    key: str
    repeat: int
    turn: int | None
    cluster: str
    slices: tuple[str, ...]
    values: Mapping[str, float]

    @property
    def unit(self) -> tuple[str, int | None]:
        """The key shared by repetitions."""
        return self.key, self.turn


def measure(
    case: Case,
    result: CaseResult,
    depth: int,
    judgements: Mapping[int, Judgement] | None = None,
    given: Collection[Aspect] = ASPECTS,
) -> tuple[CaseVerdict, tuple[Observation, ...]]:
    """Return the verdict and all observations of one result; `depth` is how much of each ranking was kept.

    `given` is what the system reports, in any of its answers. Metrics that need anything else are not measured.
    """
    verdict = judge_case(case, result, given)
    cluster = case.cluster or case.key
    rows = []
    every: dict[str, None] = {}
    for number, turn in enumerate(case.turns):
        came = result.turns[number] if number < len(result.turns) else TurnResult(question=turn.question)
        slices = _slices(case, turn, came)
        every |= dict.fromkeys(slices)
        values = dict(_values(turn, came, verdict.turns[number].verdicts, depth, given))
        judged = (judgements or {}).get(number)
        if judged is not None:
            values["judge"] = judged.score
        rows.append(Observation(case.key, result.repeat, number, cluster, slices, values))
    if any(turn.verdicts for turn in verdict.turns):
        passed = {"pass_rate": float(verdict.passed)}
        rows.append(Observation(case.key, result.repeat, None, cluster, tuple(every), passed))
    return verdict, tuple(rows)


def _slices(case: Case, turn: Turn, result: TurnResult) -> tuple[str, ...]:
    found = ["all", f"suite:{case.suite}"]
    language = turn.language
    if language:
        found.append(f"language:{language}")
        sources = {base_language(gold.language) for gold in result.gold if gold.grade > 0 and gold.language}
        if sources:
            found.append(f"pair:{language}->{sources.pop() if len(sources) == 1 else 'several'}")
        same = _same_language(turn, result)
        if same is not None:
            found.append("direction:same-language" if same else "direction:cross-language")
    return (*found, *(f"tag:{tag}" for tag in case.tags))


def _same_language(turn: Turn, result: TurnResult) -> bool | None:
    """Return whether a relevant document is in the question's language; None if either is unknown."""
    sources = [gold.language for gold in result.gold if gold.grade > 0 and gold.language]
    return any(same_language(turn.language, source) for source in sources) if turn.language and sources else None


def _values(
    turn: Turn, result: TurnResult, verdicts: Sequence[CheckResult], depth: int, given: Collection[Aspect]
) -> Iterator[tuple[str, float]]:
    yield "error_rate", float(result.answer is None)
    for verdict in verdicts:
        if verdict.expectation != "an answer":
            yield EXPECT + verdict.expectation, float(verdict.passed)
    measured = (
        *_retrieval(turn, result, depth),
        *_answers(turn, result.answer, given),
        *_citations(turn, result, given),
        *_abstention(turn, result.answer, given),
        *_latency(result),
    )
    for name, value in measured:
        if value is not None:
            yield name, value


Measured = Iterator[tuple[str, float | None]]


def _retrieval(turn: Turn, result: TurnResult, depth: int) -> Measured:
    if result.ranking is None:
        return
    languages = {ranked.document_id: base_language(ranked.language) for ranked in reversed(result.ranking)}
    ranking = retrieval.best_per_document(ranked.document_id for ranked in result.ranking)
    grades = {gold.key: gold.grade for gold in result.gold}
    for k in DEPTHS:
        yield f"hit@{k}", retrieval.hit(ranking, grades, k)
    for k in RECALL_DEPTHS:
        if k < DEEP or depth >= DEEP:
            yield f"recall@{k}", retrieval.recall(ranking, grades, k)
    yield "mrr", retrieval.reciprocal_rank(ranking, grades)
    yield "map", retrieval.average_precision(ranking, grades)
    yield "ndcg@10", retrieval.ndcg(ranking, grades, 10)
    same = _same_language(turn, result)
    if same is not None:
        yield "same_language", float(same)
    if same is False:
        in_order = [languages[document] for document in ranking]
        yield (
            "own_language_ahead",
            retrieval.own_language_ahead(ranking, in_order, grades, base_language(turn.language)),
        )


def _answers(turn: Turn, answer: Answer | None, given: Collection[Aspect]) -> Measured:
    if not turn.answers:
        return
    answered = answer is not None and answer.answered
    short = comparable_text(answer) if answer is not None and answered else ""
    text = without_markers(answer.text) if answer is not None and answered else ""
    yield "em", answers.exact_match(short, turn.answers, turn.language)
    yield "f1", answers.token_f1(short, turn.answers, turn.language)
    yield "chrf", answers.chrf(short, turn.answers)
    yield "gold_contained", answers.gold_contained(text, turn.answers, _languages(turn, answer))
    if "quotes" in given:
        yield "gold_quoted", float(answer is not None and any(_quoted(turn, answer, gold) for gold in turn.answers))


def _languages(turn: Turn, answer: Answer | None) -> tuple[str | None, ...]:
    """Return the languages whose notation the answer's numbers may have."""
    return tuple(dict.fromkeys((turn.language, answer.language if answer is not None else None)))


def _quoted(turn: Turn, answer: Answer, words: str) -> bool:
    return any(contains(one.quote, words, (turn.language, one.language)) for one in answer.evidence)


def _citations(turn: Turn, result: TurnResult, given: Collection[Aspect]) -> Measured:
    if "citations" not in given:
        return
    answer = result.answer
    spans = result.spans if answer is not None else turn.spans
    relevant = {gold.key for gold in result.gold if gold.grade > 0}
    cited = citations.cited_evidence(answer) if answer is not None else ()
    documents = {evidence.document.id for evidence in cited}
    yield "citation_precision", citations.document_precision(documents, relevant)
    yield "citation_recall", citations.document_recall(documents, relevant)
    if "attest" in given:
        yield from _spans(cited, spans)
    if answer is None:
        return
    if "quotes" in given:
        quotes = [
            verdict
            for verdict in citations.quote_verdicts(answer, result.checks)
            # Quotation marks in another assistant's text may contain words of a document that it doesn't name.
            if verdict.key is not None or "attest" in given
        ]
        yield "verbatim_rate", citations.verbatim_rate(quotes)
        if quotes:
            yield "fabricated_quotes", float(citations.fabricated(quotes) > 0)
    if "attest" in given:
        yield "citation_validity", citations.validity(answer, result.checks)
        for kind, share in citations.support_shares(answer.claims).items():
            yield f"claims_{kind}", share
        yield "claims_cited", citations.cited_share(answer.claims)


def _spans(cited: Sequence[Evidence], spans: Sequence[GoldSpan]) -> Measured:
    yield "span_precision", citations.span_precision(cited, spans)
    yield "span_recall", citations.span_recall(cited, spans)


def _abstention(turn: Turn, answer: Answer | None, given: Collection[Aspect]) -> Measured:
    answerable = turn.answerable
    wanted = turn.expect.language or turn.language
    if answer is not None and wanted:
        yield "language_match", float(other_language(answer, wanted) is None)
    if answerable is None or "answered" not in given:
        return
    answered = answer is not None and answer.answered
    abstained = answer is not None and not answer.answered
    if answerable:
        yield "coverage", float(answered)
    else:
        yield "abstention_recall", float(abstained)
    if abstained:
        yield "abstention_precision", float(not answerable)
    if answer is not None and "confidence" in given:
        yield "confidence", answer.confidence
        yield "answerable", float(answerable)
        if "quotes" in given:
            yield "holds", _holds(turn, answer)


def _holds(turn: Turn, answer: Answer) -> float | None:
    """Return whether the evidence contains the answer, which is what `confidence` predicts; None if unknown."""
    if turn.answerable is False:
        return 0.0
    expect = turn.expect
    if turn.answers:
        return float(any(_quoted(turn, answer, words) for words in turn.answers))
    if expect.quote_contains or expect.quote_contains_any:
        some = not expect.quote_contains_any or any(_quoted(turn, answer, each) for each in expect.quote_contains_any)
        return float(some and all(_quoted(turn, answer, words) for words in expect.quote_contains))
    return None


def _latency(result: TurnResult) -> Measured:
    yield "latency_ms", result.latency_ms
    yield "first_quote_ms", result.first_quote_ms
