"""Ask a system each case, and record what comes back: answers, failures, times, what the library holds.

It judges nothing. A turn that fails is recorded as a failure, and the case's later turns are not asked. Cases run in
several threads, and can be stopped and resumed: `run_cases` asks only cases without a result in the run's folder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from traceback import format_exception

import regex

from assistant.types import Answer, AskOptions, Evidence, EvidenceFound, Finished, Message
from evals.run_store import RunFolder
from evals.systems.base import External, Sources, System, UnreachableError
from evals.types import Case, CaseResult, Failure, Gold, GoldSpan, QuoteCheck, Ranked, Turn, TurnResult
from store.errors import AttestError, NotFoundError

CONTEXT = 90
"""Code points of a document to keep on each side of a quote, for the report."""

TRACE = 4_000
"""Characters of a traceback to keep."""

GoldFound = Mapping[str, tuple[Gold, ...]]
"""The documents of the library that each name of a suite means."""

PATIENCE = 5
"""After this many cases in a row that could not reach the system, the run stops."""

OnResult = Callable[[Case, CaseResult], None]
"""Called with each result once it is saved, in the order of completion."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How to ask a system."""

    options: AskOptions = field(default_factory=AskOptions)
    depth: int = 20
    """How many passages of the ranking to keep, for turns with relevant documents."""
    found: GoldFound = field(default_factory=dict)
    """Must contain every name of the cases' documents."""


def ask_case(system: System | External, case: Case, repeat: int, config: RunConfig) -> CaseResult:
    """Ask the turns of a case one after the other, each with the conversation so far."""
    history: list[Message] = []
    results: list[TurnResult] = []
    for turn in case.turns:
        result = ask_turn(system, turn, tuple(history), config)
        results.append(result)
        if result.answer is None:
            break
        history += [Message("user", turn.question), Message("assistant", result.answer.text)]
    return CaseResult(suite=case.suite, case_id=case.id, repeat=repeat, turns=tuple(results))


def ask_turn(system: System | External, turn: Turn, history: tuple[Message, ...], config: RunConfig) -> TurnResult:
    """Ask one question. Any error that the system raises becomes a `Failure`; only Ctrl-C passes."""
    gold = tuple(
        document.model_copy(update={"grade": named.grade})
        for named in turn.documents
        for document in config.found[named.name]
    )
    result = TurnResult(question=turn.question, gold=gold)
    try:
        if isinstance(system, External):
            return _ask_external(system, turn, result.model_copy(update={"given": ()}), history, config)
        return _ask_attest(system, turn, result, history, config)
    except Exception as error:  # any error in one case is that case's result
        given = () if isinstance(system, External) else result.given
        return _failed(result.model_copy(update={"given": given}), _failure(error))


def _ask_external(
    system: External, turn: Turn, result: TurnResult, history: tuple[Message, ...], config: RunConfig
) -> TurnResult:
    """Ask another assistant; its reply is judged by what it reports."""
    from evals.systems.external import result_of

    started = perf_counter()
    reply = system.replier.reply(turn.question, history)
    took = _milliseconds(started)
    named = [document for name in turn.expect.cites_document for document in config.found.get(name, ())]
    found = result_of(result, reply, (*result.gold, *named), system.library, took)
    return found.model_copy(update={"spans": _gold_spans(system.library, turn, result.gold)})


def _ask_attest(
    system: System, turn: Turn, result: TurnResult, history: tuple[Message, ...], config: RunConfig
) -> TurnResult:
    """Ask Attest, event by event."""
    started = perf_counter()
    first_quote: float | None = None
    answer: Answer | None = None
    announced: tuple[Evidence, ...] = ()
    for event in system.ask(turn.question, history, config.options):
        if isinstance(event, EvidenceFound) and event.evidence:
            first_quote = first_quote or _milliseconds(started)
            announced += event.evidence
        elif isinstance(event, Finished):
            answer = event.answer
    took = _milliseconds(started)
    if answer is None:
        return _failed(result, Failure(kind="NoAnswer", message="The system ended without an answer."))
    fallen_back = _fallen_back(answer, config.options)
    if fallen_back is not None:
        return _failed(result, fallen_back)
    ranking = _ranking(system.library, answer.standalone_question, config.depth) if result.gold else None
    return result.model_copy(
        update={
            "answer": answer,
            "latency_ms": took,
            "first_quote_ms": first_quote,
            "checks": tuple(quote_check(system.library, evidence, announced) for evidence in answer.evidence),
            "spans": _gold_spans(system.library, turn, result.gold),
            "ranking": ranking,
        }
    )


def _gold_spans(library: Sources, turn: Turn, gold: tuple[Gold, ...]) -> tuple[GoldSpan, ...]:
    return tuple(span for raw in turn.spans for span in _placed(library, raw, gold))


def _milliseconds(started: float) -> float:
    return (perf_counter() - started) * 1000


def _failed(result: TurnResult, failure: Failure) -> TurnResult:
    return result.model_copy(update={"failure": failure})


def _failure(error: Exception) -> Failure:
    message = " ".join(str(error).split()) or "no message"
    unreachable = (isinstance(error, AttestError) and error.exit_code == 3) or isinstance(
        error, ConnectionError | TimeoutError
    )
    trace = "" if isinstance(error, AttestError) else "".join(format_exception(error))[-TRACE:]
    return Failure(kind=type(error).__name__, message=message[:2000], trace=trace, unreachable=unreachable)


def _fallen_back(answer: Answer, options: AskOptions) -> Failure | None:
    """Return the failure for an answer in quotes that should be written: that is not the system to evaluate."""
    notice = next((notice for notice in answer.notices if notice.code == "model_unavailable"), None)
    if options.mode != "written" or notice is None:
        return None
    return Failure(kind="LanguageModelUnavailable", message=notice.message, unreachable=True)


def quote_check(library: Sources, evidence: Evidence, announced: tuple[Evidence, ...]) -> QuoteCheck:
    """Return the library's text at the quote's offsets."""
    document, start, end = evidence.document.id, evidence.start, evidence.end
    shown = any((other.document.id, other.start, other.end) == (document, start, end) for other in announced)
    try:
        around = library.text(document, max(0, start - CONTEXT), end + CONTEXT)
    except NotFoundError:
        return QuoteCheck(key=evidence.key, words=None, occurs=False, announced=shown)
    before = min(CONTEXT, start)
    words = around[before : before + max(0, end - start)]
    return QuoteCheck(
        key=evidence.key,
        words=words,
        occurs=words == evidence.quote or evidence.quote in library.text(document),
        announced=shown,
        before=around[:before],
        after=around[before + len(words) :],
    )


def _placed(library: Sources, raw: GoldSpan, gold: tuple[Gold, ...]) -> tuple[GoldSpan, ...]:
    """Return the position of a gold answer in the library's text, because normalization may have moved or respelled it.

    The occurrence closest to the suite's position; None if the text no longer contains it.
    """
    document = next((one.document_id for one in gold if one.name == raw.document and one.document_id), None)
    if document is None:
        return ()
    text = library.text(document)
    matches = list(_spelled(raw.words).finditer(text))
    if not matches:
        return ()
    nearest = min(matches, key=lambda match: abs(match.start() - raw.start))
    start, end = nearest.span()
    return (GoldSpan(document=document, start=start, end=end, words=nearest.group()),)


def _spelled(words: str) -> regex.Pattern[str]:
    """Return a pattern for `words` in their composed form, with any white space between them."""
    parts = unicodedata.normalize("NFC", words).split()
    return regex.compile(r"\s+".join(regex.escape(part) for part in parts) or r"(?!)")


def _ranking(library: Sources, question: str, depth: int) -> tuple[Ranked, ...]:
    return tuple(
        Ranked(
            document_id=hit.document.id,
            passage_id=hit.passage.id,
            language=hit.passage.language,
            score=hit.score,
            uri=hit.document.uri,
        )
        for hit in library.search(question, depth).hits
    )


@dataclass(frozen=True, slots=True)
class Task:
    """A case to ask once."""

    case: Case
    repeat: int


def open_tasks(cases: Sequence[Case], repeat: int, done: Sequence[CaseResult]) -> tuple[Task, ...]:
    """Return the remaining tasks: every case `repeat` times, all cases once before any twice.

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
    """Ask every task, and append each result to the folder when it arrives.

    A case that fails is a result like others. Raises UnreachableError after `PATIENCE` cases in a row that could not
    reach the system. On KeyboardInterrupt, running cases are finished and saved first.
    """
    waiting = iter(tasks)
    under_way: dict[Future[CaseResult], Task] = {}
    out_of_reach = 0
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="eval") as pool:

        def begin(count: int) -> None:
            # Don't queue more than can run, because Ctrl-C would have to wait for queued ones.
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
