"""Run the one pipeline from question to answer, for the page, the command line, the API and the evaluation.

question -> as it was meant -> turn -> alone -> passages -> read -> evidence -> enough?
-> short answer, quotes composed, or written and verified -> [quotes translated] -> Answer
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from assistant.answer import quoted_answer
from assistant.answer.dialogue.phrases import phrases
from assistant.answer.dialogue.planner import Planner, shown
from assistant.answer.language_model import Writer, with_translations, written_notices
from assistant.answer.question import Question
from assistant.answer.retrieval import Finder, Found
from assistant.answer.translate import Translation, Translations, foreign
from assistant.answer.written_answer import Written
from assistant.types import (
    AbstainReason,
    Answer,
    AskOptions,
    Claim,
    ClaimChecked,
    Composed,
    Event,
    EvidenceFound,
    Finished,
    Message,
    Mode,
    Notice,
    TextAdded,
    Translated,
    finished,
)
from store.library import Library

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

PARAGRAPH = "\n\n"


class Assistant:
    """Answers questions from one library. Safe to use from several threads."""

    def __init__(
        self,
        library: Library,
        load_llm: Callable[[], LLM | None] | None = None,
        mode: Mode = "quotes",
        *,
        reading: bool = True,
    ) -> None:
        """`load_llm` is called before the first written answer; `mode` is the default for questions without one.

        With `reading` false, no reader is used, and the search alone decides.
        """
        self.library = library
        self.mode: Mode = mode
        self._writer = Writer(library, load_llm)
        self._finder = Finder(library, reading=reading)
        self._planner = Planner(library, self._finder, self._writer.rewrite)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.library.close()

    def prepare_writing(self) -> None:
        """Load the model if answers are written, and let it read the beginning that all prompts share.

        This takes seconds, for which the first answer needn't wait. Raises LanguageModelError.
        """
        if self.mode == "written":
            self._writer.prepare()

    def answer(self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()) -> Answer:
        """Return the whole answer at once. Raises what `ask` raises."""
        return finished(self.ask(question, history, options))

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """Yield the answer while it is made: evidence first, then text, then `Finished` with the whole answer.

        Nothing is logged or traced; see `assistant.answer.instrumentation`.
        Raises QuestionError for a blank or endless question, LibraryError and ModelError.
        """
        options = replace(options, mode=options.mode or self.mode)
        turn = self._planner.plan(question, history, options)
        asked = turn.question
        if turn.answer is not None:
            answering = shown(turn.answer)
            yield from self._translate(asked, answering) if options.translate else answering
            return
        found = turn.found or self._finder.find(asked)
        shown_quotes = found.evidence or found.nearest
        yield EvidenceFound(asked.alone, asked.language, shown_quotes, found.confidence, found.short_answer)
        if not found.evidence:
            yield from self._abstain(found)
            return
        written = options.mode == "written"
        answering = self._write(found) if written else self._quote(found)
        yield from self._translate(asked, answering) if options.translate else answering

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """Return the role and text of each message from which a model wrote `answer`; see `Writer.prompt_of`."""
        return self._writer.prompt_of(answer)

    def _quote(
        self, found: Found, written: Written | None = None, notices: tuple[Notice, ...] = ()
    ) -> Generator[Event]:
        """Yield the answer in quotes; if a model tried first, with the sentences that the quotes don't support."""
        text = ""
        claims: list[Claim] = []
        short = quoted_answer.shortened(found.evidence, found.short_answer, found.question.language)
        for each in (*short, *found.evidence):
            gap = PARAGRAPH if text else ""
            claim = quoted_answer.framed(each, found.question.language, len(text) + len(gap))
            text += gap + claim.text
            claims.append(claim)
            yield TextAdded(gap + claim.text)
            yield ClaimChecked(claim)
        withheld = written.withheld if written else ()
        at_end = (claim.model_copy(update={"start": len(text), "end": len(text)}) for claim in withheld)
        yield _finished(found, text, claims=(*claims, *at_end), notices=notices, written=written)

    def _write(self, found: Found) -> Generator[Event]:
        """Yield the answer as a language model writes it; the quotes if nothing of it can be shown."""
        written: Written | None = None
        for event in self._writer.write(found.question.alone, found.evidence, found.question.language):
            if isinstance(event, Written):
                written = event
            else:
                yield event
        notices = written_notices(written, found.question.language)
        if written is None or not written.claims:
            yield from self._quote(found, written, notices)
            return
        claims = tuple(sorted((*written.claims, *written.withheld), key=lambda claim: (claim.start, claim.end)))
        model = self._writer.model_name
        yield _finished(found, written.text, claims=claims, notices=notices, written=written, model=model)

    def _translate(self, asked: Question, answering: Generator[Event]) -> Iterator[Event]:
        """Yield the events of `answering`, and at their end translations of its quotes, one after the other."""
        with closing(answering):
            for event in answering:
                if isinstance(event, Finished):
                    yield from self._translated(asked, event.answer)
                else:
                    yield event

    def _translated(self, asked: Question, answer: Answer) -> Iterator[Event]:
        # A model that was unreachable a moment ago is not waited for again.
        unreachable = any(notice.code == "model_unavailable" for notice in answer.notices)
        if unreachable or not foreign(answer.evidence, answer.language):
            yield Finished(answer)
            return
        yield Composed(answer)
        done = Translations()
        for event in self._writer.translate(answer.evidence, answer.language):
            if isinstance(event, Translation):
                done = done.and_also(event)
                yield Translated(event.key, event.text, with_translations(answer, done, self._writer.model_name))
            elif isinstance(event, Translations):
                done = event
            else:
                yield event
        timings = _total(asked, answer.timings_ms | {"translate": done.milliseconds})
        whole = with_translations(answer, done, self._writer.model_name)
        yield Finished(whole.model_copy(update={"timings_ms": timings}))

    def _abstain(self, found: Found) -> Iterator[Event]:
        language, hits = found.question.language, found.passages.hits
        reason: AbstainReason = "low_confidence" if hits else "no_evidence"
        if found.missing:
            reason, text = "not_said", quoted_answer.missing(language, found.missing)
        elif found.nearest:
            reason, text = "not_said", quoted_answer.not_said(language, found.nearest[0])
        elif not hits and self.library.statistics().documents == 0:
            reason = "empty_library"
            text = quoted_answer.empty_library(language)
        else:
            text = quoted_answer.no_answer(language, list({hit.document.id: hit.document for hit in hits}.values()))
        yield TextAdded(text)
        yield _finished(found, text, abstain_reason=reason)


def _finished(
    found: Found,
    text: str,
    *,
    claims: tuple[Claim, ...] = (),
    notices: tuple[Notice, ...] = (),
    written: Written | None = None,
    model: str | None = None,
    abstain_reason: AbstainReason | None = None,
) -> Finished:
    """Return the last event, with the only `Answer` that is created here; `model` is the author of `text`."""
    asked, evidence = found.question, found.evidence or found.nearest
    timings = {**found.timings_ms, **dict(written.timings_ms if written else ())}
    answer = Answer(
        question=asked.asked,
        did_you_mean=asked.meant,
        standalone_question=asked.alone,
        language=asked.language,
        answered=abstain_reason is None,
        abstain_reason=abstain_reason,
        confidence=found.confidence,
        mode="written" if model else "quotes",
        model=model,
        text=text,
        short_answer=found.short_answer,
        claims=claims,
        evidence=evidence,
        notices=(*notices, *conflicts(found), *quoted_answer.notices(found.evidence, asked.language)),
        timings_ms=_total(asked, timings),
    )
    return Finished(answer)


def conflicts(found: Found) -> tuple[Notice, ...]:
    """Return a notice that two sources differ, if they do."""
    if found.conflict is None:
        return ()
    one, other = found.conflict.one, found.conflict.other
    message = phrases(found.question.language).say(
        "compare_conflict",
        one=one.hit.document.speaker or one.hit.document.title,
        first=one.answer,
        other=other.hit.document.speaker or other.hit.document.title,
        second=other.answer,
    )
    return (Notice(code="conflicting_sources", message=message),)


def _total(asked: Question, timings: Mapping[str, float]) -> dict[str, float]:
    total = (time.perf_counter() - asked.started) * 1000
    return {name: round(spent, 2) for name, spent in {**timings, "total": total}.items()}
