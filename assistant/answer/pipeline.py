"""The one pipeline from question to answer: for the page, the command line, the API and the evaluation.

question -> alone -> passages -> sentences -> evidence -> enough? -> quotes composed, or written and verified
-> [quotes translated] -> Answer
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from assistant.answer import compose
from assistant.answer.answer_writer import Writer, with_translations, written_notices
from assistant.answer.confidence import confidence, threshold
from assistant.answer.conversation import standalone
from assistant.answer.evidence import PASSAGES, candidates, select, verified
from assistant.answer.generate import Written
from assistant.answer.instrumentation import told
from assistant.answer.question import clean_question
from assistant.answer.translate import Translation, Translations, foreign
from assistant.types import (
    AbstainReason,
    Answer,
    AskOptions,
    Claim,
    ClaimChecked,
    Composed,
    Event,
    Evidence,
    EvidenceFound,
    Finished,
    Message,
    Mode,
    Notice,
    TextAdded,
    Translated,
)
from store.library import Library
from store.text.language import UNKNOWN, detect_language
from store.types import Document, SearchResult

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

DEFAULT_LANGUAGE = "en"
"""Of answers to questions that don't tell theirs, such as a name alone."""
PARAGRAPH = "\n\n"


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is searched and answered."""

    asked: str
    alone: str
    language: str
    options: AskOptions
    started: float


class Assistant:
    """Answers questions from one library. Safe to use from several threads."""

    def __init__(
        self, library: Library, load_llm: Callable[[], LLM | None] | None = None, mode: Mode = "quotes"
    ) -> None:
        """`load_llm` is called before the first written answer; `mode` is for questions that don't say theirs."""
        self.library = library
        self.mode: Mode = mode
        self._writer = Writer(library, load_llm)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.library.close()

    def prepare_writing(self) -> None:
        """Where answers are written, load the model and let it read what every prompt begins with.

        Takes seconds, for which the first answer needn't wait. Raises LanguageModelError.
        """
        if self.mode == "written":
            self._writer.prepare()

    def answer(self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()) -> Answer:
        """The whole answer at once. Raises what `ask` raises."""
        for event in self.ask(question, history, options):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("An answer always ends with Finished.")

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """The answer as it comes to be: evidence first, then text, then `Finished` with all of it.

        Raises QuestionError for a blank or endless question, LibraryError and ModelError.
        """
        yield from told(self._events(question, history, options))

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """Role and text of each message that a language model wrote `answer` from; see `Writer.prompt_of`."""
        return self._writer.prompt_of(answer)

    def _events(self, question: str, history: Sequence[Message], options: AskOptions) -> Iterator[Event]:
        asked = self._understand(question, history, options)
        found = self.library.search(asked.alone, PASSAGES, options.filter)
        retrieved = time.perf_counter()
        ordered = candidates(found)
        sure = confidence(found, ordered)
        evidence: tuple[Evidence, ...] = ()
        if sure >= threshold():
            evidence = verified(select(ordered, options.max_quotes), self.library)
        timings = {
            "retrieve": (retrieved - asked.started) * 1000,
            "evidence": (time.perf_counter() - retrieved) * 1000,
            **{f"retrieve_{name}": spent for name, spent in found.timings_ms.items()},
        }
        yield EvidenceFound(asked.alone, asked.language, evidence, sure)
        if not evidence:
            yield from self._abstain(asked, found, sure, timings)
            return
        written = (options.mode or self.mode) == "written"
        answering = (self._write if written else self._quote)(asked, evidence, sure, timings)
        yield from self._translate(asked, answering) if options.translate else answering

    def _understand(self, question: str, history: Sequence[Message], options: AskOptions) -> Question:
        started = time.perf_counter()
        cleaned = clean_question(question)
        alone = standalone(cleaned, history)
        spoken = [cleaned, *(message.text for message in reversed(history) if message.role == "user")]
        detected = (language for text in spoken if (language := detect_language(text)) != UNKNOWN)
        language = options.answer_language or next(detected, DEFAULT_LANGUAGE)
        return Question(question, alone, language, options, started)

    def _quote(
        self,
        asked: Question,
        evidence: tuple[Evidence, ...],
        sure: float,
        timings: dict[str, float],
        more: tuple[Claim, ...] = (),
        notice: tuple[Notice, ...] = (),
    ) -> Generator[Event]:
        """The answer in quotes; `more` are sentences of a model that the quotes don't carry, and `notice` says so."""
        text = ""
        claims: list[Claim] = []
        for each in evidence:
            gap = PARAGRAPH if text else ""
            claim = compose.framed(each, asked.language, len(text) + len(gap))
            text += gap + claim.text
            claims.append(claim)
            yield TextAdded(gap + claim.text)
            yield ClaimChecked(claim)
        yield Finished(
            Answer(
                question=asked.asked,
                standalone_question=asked.alone,
                language=asked.language,
                answered=True,
                confidence=sure,
                mode="quotes",
                text=text,
                claims=(*claims, *(claim.model_copy(update={"start": len(text), "end": len(text)}) for claim in more)),
                evidence=evidence,
                notices=(*notice, *compose.notices(evidence, asked.language)),
                timings_ms=_total(asked, timings),
            )
        )

    def _write(
        self, asked: Question, evidence: tuple[Evidence, ...], sure: float, timings: dict[str, float]
    ) -> Generator[Event]:
        """The answer as a language model writes it; where nothing of that can be shown, the quotes."""
        written: Written | None = None
        for event in self._writer.write(asked.alone, evidence, asked.language):
            if isinstance(event, Written):
                written = event
            else:
                yield event
        timings |= dict(written.timings_ms) if written else {}
        notice = written_notices(written, asked.language)
        if written is None or not written.claims:
            withheld = written.withheld if written else ()
            yield from self._quote(asked, evidence, sure, timings, withheld, notice)
            return
        claims = sorted((*written.claims, *written.withheld), key=lambda claim: (claim.start, claim.end))
        yield Finished(
            Answer(
                question=asked.asked,
                standalone_question=asked.alone,
                language=asked.language,
                answered=True,
                confidence=sure,
                mode="written",
                model=self._writer.model_name,
                text=written.text,
                claims=tuple(claims),
                evidence=evidence,
                notices=(*notice, *compose.notices(evidence, asked.language)),
                timings_ms=_total(asked, timings),
            )
        )

    def _translate(self, asked: Question, answering: Generator[Event]) -> Iterator[Event]:
        """The events of `answering`, and at their end translations of its quotes, one after the other."""
        with closing(answering):
            for event in answering:
                if isinstance(event, Finished):
                    yield from self._translated(asked, event.answer)
                else:
                    yield event

    def _translated(self, asked: Question, answer: Answer) -> Iterator[Event]:
        # A model that was out of reach a moment ago is not waited for again.
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

    def _abstain(self, asked: Question, found: SearchResult, sure: float, timings: dict[str, float]) -> Iterator[Event]:
        reason: AbstainReason = "low_confidence" if found.hits else "no_evidence"
        if not found.hits and self.library.statistics().documents == 0:
            reason = "empty_library"
            text = compose.empty_library(asked.language)
        else:
            text = compose.no_answer(asked.language, _documents(found))
        yield TextAdded(text)
        yield Finished(
            Answer(
                question=asked.asked,
                standalone_question=asked.alone,
                language=asked.language,
                answered=False,
                abstain_reason=reason,
                confidence=sure,
                mode="quotes",
                text=text,
                timings_ms=_total(asked, timings),
            )
        )


def _documents(found: SearchResult) -> list[Document]:
    return list({hit.document.id: hit.document for hit in found.hits}.values())


def _total(asked: Question, timings: dict[str, float]) -> dict[str, float]:
    total = (time.perf_counter() - asked.started) * 1000
    return {name: round(spent, 2) for name, spent in (timings | {"total": total}).items()}
