"""What becomes known of each answer outside of it: one line in the log, and spans for LlamaIndex's instrumentation.

Both are made from the answer's own events, so the pipeline knows nothing of them, and neither holds anybody's words.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.answer.spans import Span
from assistant.types import Answer, Composed, Event, EvidenceFound, Finished, Translated
from store.errors import AttestError
from store.logs import facts

log = logging.getLogger(__name__)


def told(events: Iterator[Event]) -> Iterator[Event]:
    """The events as they come; the log and whoever listens to LlamaIndex's dispatcher learn what became of them."""
    started = time.perf_counter()
    span = Span("answer", None)
    step = Span("retrieve", span.id)
    whole: Answer | None = None
    finished = False
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
            elif isinstance(event, Finished):  # Whoever got this needn't ask for more, so it is told before.
                finished = True
                _tell_answer(event.answer, (step, span), started)
            yield event
    except BaseException as error:
        if whole is not None and not finished and isinstance(error, GeneratorExit):
            _tell_answer(whole, (step, span), started)  # only its translation was stopped
        elif not finished:
            _tell_failure(error, (step, span), started)
        raise
    finally:
        close = getattr(events, "close", None)
        if close:
            close()


def _tell_answer(answer: Answer, spans: tuple[Span, Span], started: float) -> None:
    step, span = spans
    step.end()
    span.end(answer)
    log.info("question answered", extra=facts(**summary(answer), milliseconds=_since(started)))


def _tell_failure(error: BaseException, spans: Sequence[Span], started: float) -> None:
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


def summary(answer: Answer) -> dict[str, Any]:
    """What is known of an answer without any of its words."""
    return {
        "language": answer.language,
        "mode": answer.mode,
        "model": answer.model,
        "answered": answer.answered,
        "abstain_reason": answer.abstain_reason,
        "confidence": round(answer.confidence, 3),
        "quotes": len(answer.evidence),
        "claims": len(answer.claims),
        "unsupported": sum(claim.support == "unsupported" for claim in answer.claims),
        "notices": [notice.code for notice in answer.notices],
    }


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
