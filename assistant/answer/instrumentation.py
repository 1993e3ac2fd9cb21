"""Log and trace answers, from outside the pipeline that makes them.

Each answer becomes one line in the log, and spans for LlamaIndex's instrumentation. Both are built from its events and
contain no words of a question or a document. Trial questions go to the inner assistant.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Self

from assistant.answer.pipeline import Assistant
from assistant.tracing import Span, summary
from assistant.types import Answer, AskOptions, Composed, Event, EvidenceFound, Finished, Message, Translated, finished
from store.errors import AttestError
from store.logs import facts

log = logging.getLogger(__name__)


class InstrumentedAssistant:
    """Logs and traces the answers of an assistant. Safe to use from several threads."""

    def __init__(self, assistant: Assistant) -> None:
        self.inside = assistant
        self.library = assistant.library

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.inside.__exit__(*error)

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """Yield the events of `Assistant.ask`. Raises what it raises."""
        yield from instrumented(self.inside.ask(question, history, options))

    def answer(self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()) -> Answer:
        """Return the whole answer at once. Raises what `ask` raises."""
        return finished(self.ask(question, history, options))

    def prepare_writing(self) -> None:
        """Call `Assistant.prepare_writing`."""
        self.inside.prepare_writing()

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """Return `Assistant.prompt_of`."""
        return self.inside.prompt_of(answer)


def instrumented(events: Iterator[Event]) -> Iterator[Event]:
    """Yield `events` as they come, and log and trace the outcome."""
    started = time.perf_counter()
    span = Span("answer", None)
    step = Span("retrieve", span.id)
    whole: Answer | None = None
    is_finished = False
    try:
        while True:
            with step.is_current():
                event = next(events, None)
            if event is None:
                return
            if isinstance(event, EvidenceFound):
                step.end()
                step = Span("compose", span.id)
            elif isinstance(event, Composed):
                step.end()
                step, whole = Span("translate", span.id), event.answer
            elif isinstance(event, Translated):
                whole = event.answer
            elif isinstance(event, Finished):  # before passing it on: the caller may stop there
                is_finished = True
                _record_answer(event.answer, (step, span), started)
            yield event
    except BaseException as error:
        if whole is not None and not is_finished and isinstance(error, GeneratorExit):
            _record_answer(whole, (step, span), started)  # only its translation was stopped
        elif not is_finished:
            _record_failure(error, (step, span), started)
        raise
    finally:
        close = getattr(events, "close", None)
        if close:
            close()


def _record_answer(answer: Answer, spans: tuple[Span, Span], started: float) -> None:
    step, span = spans
    step.end()
    span.end(answer)
    log.info("question answered", extra=facts(**summary(answer), milliseconds=_since(started)))


def _record_failure(error: BaseException, spans: Sequence[Span], started: float) -> None:
    stopped = isinstance(error, GeneratorExit)
    for span in spans:
        if stopped:
            span.end()
        else:
            span.fail(error)
    foreseen = stopped or isinstance(error, AttestError)
    reason = "stopped" if stopped else type(error).__name__
    log.log(
        logging.INFO if foreseen else logging.ERROR,
        "question not answered",
        extra=facts(reason=reason, milliseconds=_since(started)),
    )


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
