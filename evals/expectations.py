"""Check each expectation of a suite against the result: whether it was met, and if not, why, in a sentence.

All checks are deterministic. A check uses only the `TurnResult`, so a saved run can be checked again. Verdicts are
always computed from results, and never saved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import regex

from assistant.types import Answer, Source
from evals.metrics.answers import chrf, exact_match, token_f1
from evals.metrics.citations import cited_evidence, quote_verdicts
from evals.text import contains, fold, path_parts, without_markers
from evals.text_checks import comparable_text, other_language, unattributed
from evals.types import ASPECTS, Aspect, Case, CaseResult, Expectation, Reference, Turn, TurnResult

REGEX_SECONDS = 1.0
SHOWN = 120

NEEDED: dict[str, Aspect] = {
    "answerable": "answered",
    "cites_document": "citations",
    "cites_passage": "attest",
    "quote_contains": "quotes",
    "quote_contains_any": "quotes",
    "quotes_verbatim": "quotes",
    "attributed_to": "attest",
}
"""What a system must report for an expectation to apply; expectations that aren't listed use only the text."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether one expectation was met, and if not, why, in a sentence."""

    expectation: str
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class TurnVerdict:
    """All verdicts on one turn."""

    turn: int
    """Counted from 0."""
    verdicts: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return all(verdict.passed for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """All verdicts on one case, asked once."""

    key: str
    repeat: int
    turns: tuple[TurnVerdict, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation of every turn was met."""
        return all(turn.passed for turn in self.turns)

    @property
    def failures(self) -> tuple[tuple[int, CheckResult], ...]:
        """(turn, verdict) of what was not met."""
        return tuple((turn.turn, verdict) for turn in self.turns for verdict in turn.verdicts if not verdict.passed)


def judge_case(case: Case, result: CaseResult, given: Collection[Aspect] = ASPECTS) -> CaseVerdict:
    """Return the verdicts on every turn of a case; a turn that was never reached has failed.

    `given` is what the system reports, in any of its answers. Expectations of anything else have no verdict.
    """
    turns = tuple(
        TurnVerdict(number, judge_turn(turn, result.turns[number] if number < len(result.turns) else None, given))
        for number, turn in enumerate(case.turns)
    )
    return CaseVerdict(case.key, result.repeat, turns)


def judge_turn(turn: Turn, result: TurnResult | None, given: Collection[Aspect] = ASPECTS) -> tuple[CheckResult, ...]:
    """Return a verdict for each expectation of the turn, in the order of the schema.

    Without an answer, none is met; a turn without expectations then still fails, because it crashed.
    """
    if result is None or result.answer is None:
        failure = None if result is None else result.failure
        why = "an earlier turn failed" if failure is None else f"{failure.kind}: {failure.message}"
        names = _checked(turn.expect, given) or ("an answer",)
        return tuple(CheckResult(name, passed=False, reason=f"There is no answer: {why}") for name in names)
    return tuple(_verdicts(turn, result, result.answer, given))


def _checked(expect: Expectation, given: Collection[Aspect]) -> tuple[str, ...]:
    wanted = (name for name in Expectation.model_fields if getattr(expect, name) not in (None, ()))
    return tuple(name for name in wanted if NEEDED.get(name) is None or NEEDED[name] in given)


def _verdicts(turn: Turn, result: TurnResult, answer: Answer, given: Collection[Aspect]) -> Iterator[CheckResult]:
    for name in _checked(turn.expect, given):
        problem = CHECKS[name](turn, result, answer)
        yield CheckResult(name, passed=problem is None, reason=problem or "")


def _answerable(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    if turn.expect.answerable == answer.answered:
        return None
    if answer.answered:
        return f"It should say that it can't answer, but answered: {_cut(answer.text)}"
    return f"It should answer, but said that it can't ({answer.abstain_reason}, confidence {answer.confidence:.2f})."


def _kind(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    if turn.expect.kind == answer.kind:
        return None
    return f"The answer's form is {answer.kind}, not {turn.expect.kind}: {_cut(answer.text)}"


def _answer_contains(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    missing = [words for words in turn.expect.answer_contains if not _says(turn, answer, words)]
    return f"The answer does not contain {_list(missing)}: {_cut(answer.text)}" if missing else None


def _answer_contains_any(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    wanted = turn.expect.answer_contains_any
    if any(_says(turn, answer, words) for words in wanted):
        return None
    return f"The answer contains none of {_list(wanted)}: {_cut(answer.text)}"


def _answer_regex(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    text = without_markers(answer.text)
    for pattern in turn.expect.answer_regex:
        try:
            if not regex.search(pattern, text, timeout=REGEX_SECONDS):
                return f"/{pattern}/ matches nowhere in the answer: {_cut(answer.text)}"
        except TimeoutError:
            return f"/{pattern}/ took longer than {REGEX_SECONDS:.0f} s: make it simpler."
    return None


def _answer_equals(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    if exact_match(comparable_text(answer), turn.expect.answer_equals, answer.language):
        return None
    return f"The answer is not {_list(turn.expect.answer_equals)}: {_cut(answer.text)}"


def _answer_f1_at_least(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    return _agreement(
        turn, answer, turn.expect.answer_f1_at_least, "F1", lambda text, golds: token_f1(text, golds, answer.language)
    )


def _answer_chrf_at_least(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    return _agreement(turn, answer, turn.expect.answer_chrf_at_least, "chrF", chrf)


def _agreement(
    turn: Turn,
    answer: Answer,
    wanted: Reference | None,
    name: str,
    measure: Callable[[str, Sequence[str]], float | None],
) -> str | None:
    if wanted is None:
        return None
    golds = wanted.reference or turn.answers
    if not golds:
        return f"{name} needs something to compare with: give a `reference`, or the case `answers`."
    value = measure(comparable_text(answer), golds) or 0.0
    return None if value >= wanted.value else f"{name} is {value:.3f}, below {wanted.value}: {_cut(answer.text)}"


def _cites_document(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    cited = {evidence.document.id: evidence.document for evidence in cited_evidence(answer)}
    if any(names(source, name) for name in turn.expect.cites_document for source in cited.values()):
        return None
    got = _list([source.uri or source.title for source in cited.values()]) if cited else "nothing"
    return f"It should cite {_list(turn.expect.cites_document)}, but cites {got}."


def _cites_passage(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    cited = {evidence.passage_id for evidence in cited_evidence(answer)}
    if cited.intersection(turn.expect.cites_passage):
        return None
    got = _list(sorted(cited)) if cited else "nothing"
    return f"It should cite the passage {_list(turn.expect.cites_passage)}, but cites {got}."


def _quote_contains(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    missing = [words for words in turn.expect.quote_contains if not _in_a_quote(turn, answer, words)]
    return f"No quote contains {_list(missing)}; quoted is {_quotes(answer)}" if missing else None


def _quote_contains_any(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    if any(_in_a_quote(turn, answer, words) for words in turn.expect.quote_contains_any):
        return None
    return f"No quote contains any of {_list(turn.expect.quote_contains_any)}; quoted is {_quotes(answer)}"


def _quotes_verbatim(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    wrong = [verdict for verdict in quote_verdicts(answer, result.checks) if verdict.state != "verbatim"]
    if bool(wrong) == (turn.expect.quotes_verbatim is False):
        return None
    if not wrong:
        return "Every quote is verbatim, which was not expected."
    first = wrong[0]
    key = f"[{first.key}]" if first.key is not None else "in the answer's text"
    elsewhere = "stands elsewhere in its document" if first.state == "misplaced" else "stands in no document"
    return f"{len(wrong)} quotes are not verbatim; {key} {elsewhere}: {_cut(first.quote)}"


def _language(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    wanted = turn.expect.language or ""
    got = other_language(answer, wanted)
    return None if got is None else f"The answer is in {got}, not in {wanted}: {_cut(answer.text)}"


def _attributed_to(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    problem = unattributed(answer, turn.expect.attributed_to)
    if problem is None:
        return None
    return f"It should say that {_list(turn.expect.attributed_to)} says so: {problem}; {_cut(answer.text)}"


def _must_not_contain(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    found = [words for words in turn.expect.must_not_contain if contains(answer.text, words)]
    return f"The answer contains {_list(found)}: {_cut(answer.text)}" if found else None


def _latency_ms_at_most(turn: Turn, result: TurnResult, answer: Answer) -> str | None:
    most, took = turn.expect.latency_ms_at_most or 0.0, result.latency_ms
    if took is None or took <= most:
        return None
    return f"It took {took:.0f} ms, more than {most:.0f}."


Check = Callable[[Turn, TurnResult, Answer], str | None]
CHECKS: dict[str, Check] = {
    "answerable": _answerable,
    "kind": _kind,
    "answer_contains": _answer_contains,
    "answer_contains_any": _answer_contains_any,
    "answer_regex": _answer_regex,
    "answer_equals": _answer_equals,
    "answer_f1_at_least": _answer_f1_at_least,
    "answer_chrf_at_least": _answer_chrf_at_least,
    "cites_document": _cites_document,
    "cites_passage": _cites_passage,
    "quote_contains": _quote_contains,
    "quote_contains_any": _quote_contains_any,
    "quotes_verbatim": _quotes_verbatim,
    "language": _language,
    "attributed_to": _attributed_to,
    "must_not_contain": _must_not_contain,
    "latency_ms_at_most": _latency_ms_at_most,
}
"""By the name of the expectation; each returns the problem, or None."""


def names(source: Source, name: str) -> bool:
    """Return whether `name` means this document: its id, its title, or the end of its path or address."""
    return source.id == name or fold(source.title) == fold(name) or ends_with_path(source.uri or "", name)


def ends_with_path(uri: str, name: str) -> bool:
    """Return whether `uri` ends with all parts of `name`: ``/papers/a.txt`` ends with ``a.txt``, not ``.txt``."""
    parts, wanted = path_parts(uri), path_parts(name)
    return bool(wanted) and parts[-len(wanted) :] == wanted


def _says(turn: Turn, answer: Answer, words: str) -> bool:
    return contains(without_markers(answer.text), words, (turn.language, answer.language))


def _in_a_quote(turn: Turn, answer: Answer, words: str) -> bool:
    return any(contains(evidence.quote, words, (turn.language, evidence.language)) for evidence in answer.evidence)


def _quotes(answer: Answer) -> str:
    return _list([evidence.quote for evidence in answer.evidence[:3]]) if answer.evidence else "nothing."


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return f"“{flat}”" if len(flat) <= SHOWN else f"“{flat[:SHOWN]}…”"


def _list(texts: Sequence[str]) -> str:
    return ", ".join(_cut(text) for text in texts)
