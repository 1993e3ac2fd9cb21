"""Let a language model write an answer from quotes, and show only what the quotes support.

The text is cut into sentences while it streams. Each is verified when it ends, before it is shown. Sentences that the
quotes don't support are withheld, never reworded. Citations are corrected if another quote supports the sentence:
unknown keys are dropped, missing ones added, and wrong ones replaced.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import regex

from assistant.answer.prompt import fixed_part, prompt, prompt_hash
from assistant.answer.sentence_stream import SentenceStream
from assistant.llm.base import Pause, reply, stream_text
from assistant.types import Claim, ClaimChecked, Evidence, TextAdded, Waiting
from assistant.verify import Verdict, Verifier, citations_in
from assistant.verify.injection_filter import commands, without_commands
from assistant.verify.relevance import loops, misses
from assistant.verify.text import cite, fold, speaks, strip_markers
from store.errors import LanguageModelError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage

Outcome = Literal["written", "abstained", "nothing_left", "incomplete", "failed"]

MAX_TOKENS = 200
MAX_SENTENCES = 6
LONGEST_SENTENCE = 2_000
"""Code points. Longer text without an end is no sentence, so the wait for its end stops here."""
NO_ANSWER = "NO ANSWER"
"""What the prompt asks the model to say if the quotes don't answer."""


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of one attempt to write: always the last thing that `write` yields."""

    outcome: Outcome
    """written: all of it ended well. abstained: the model found no answer in the quotes. nothing_left: it wrote, but
    the quotes support none of it. incomplete: it broke off after some sentences. failed: it said nothing."""
    text: str
    """The sentences shown, with their markers."""
    claims: tuple[Claim, ...]
    """These sentences: ``text[start:end] == claim.text``."""
    withheld: tuple[Claim, ...]
    """Sentences that the quotes don't support; `start` and `end` say where they would be in `text`."""
    dropped_citations: int = 0
    """Markers of nonexistent keys."""
    corrected_citations: int = 0
    """Sentences whose keys were added, or replaced by the supporting ones."""
    problem: LanguageModelError | None = None
    """For `incomplete` and `failed`: what the user should know about the model's failure."""
    prompt_hash: str = ""
    timings_ms: tuple[tuple[str, float], ...] = ()


def write(
    question: str,
    evidence: Sequence[Evidence],
    language: str,
    llm: LLM,
    *,
    verifier: Verifier | None = None,
    max_tokens: int = MAX_TOKENS,
    pause: Pause = time.sleep,
) -> Iterator[TextAdded | ClaimChecked | Waiting | Written]:
    """Write an answer to a standalone `question` in `language` (BCP 47) from `evidence`.

    Yields `TextAdded` for each sentence shown, `ClaimChecked` for each sentence, shown or withheld, `Waiting` while
    none has ended, and one `Written` at the end. The model's failures are reported in it, not raised. Closing the
    iterator stops the model.

    Args:
        question: Completed from earlier turns.
        evidence: The quotes to write from; if they are more than the model can read in reasonable time, some are left
            out.
        language: Of the answer.
        llm: Any LlamaIndex model.
        verifier: Over the same evidence; by default one without an embedding model.
        max_tokens: The most that the model may write.
        pause: Waits the given seconds before a retry.
    """
    started = time.perf_counter()
    timings: dict[str, float] = {}
    problem: LanguageModelError | None = None
    draft = _Draft(question, language)
    try:
        evidence = [each for each in evidence if not commands(each.quote)]
        if not evidence:
            yield draft.finish(None, prompt_hash(language), timings)
            return
        messages, shown = prompt(without_commands(question), evidence, language, llm, max_tokens)
        draft.verifier = verifier or Verifier(shown)
        with closing(_sentences(llm, messages, max_tokens, pause)) as sentences:
            for sentence in sentences:
                if sentence is None:
                    yield Waiting()
                    continue
                timings.setdefault("model_first", _since(started))
                if draft.is_over(sentence):
                    break
                for event in draft.take(sentence):
                    if isinstance(event, TextAdded):
                        timings.setdefault("first_text", _since(started))
                    yield event
    except LanguageModelError as error:
        problem = error
    timings["write"] = _since(started)
    yield draft.finish(problem, prompt_hash(language), timings)


def warm(llm: LLM) -> None:
    """Let a local model read and keep the fixed part of the prompt, so that the first answer comes sooner."""
    for _ in stream_text(llm, fixed_part(), max_tokens=1):
        pass


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _sentences(
    llm: LLM, messages: list[ChatMessage], max_tokens: int, pause: Pause
) -> Generator[str | None, None, None]:
    """Yield the sentences of the model's reply, and None whenever none has ended.

    A reply that repeats itself or is far too long ends with its last whole sentence.
    """
    stream = SentenceStream()
    with closing(reply(llm, messages, max_tokens, pause)) as pieces:
        for piece in pieces:
            ended: list[str | None] = list(stream.add(piece)) if piece else []
            if not ended and piece and (loops(stream.rest) or len(stream.rest) > LONGEST_SENTENCE):
                return
            yield from ended or [None]
    if not loops(stream.rest):
        yield from stream.finish()


class _Draft:
    """The answer so far: sentences shown, sentences withheld, and corrections."""

    def __init__(self, question: str, language: str) -> None:
        self.verifier = Verifier(())
        self._question = question
        self._language = language
        self._text = ""
        self._claims: list[Claim] = []
        self._withheld: list[Claim] = []
        self._seen: set[str] = set()
        self._dropped = 0
        self._corrected = 0
        self._abstained = False
        self._gap = ""

    def is_over(self, sentence: str) -> bool:
        """Return whether the model abstains with this sentence, repeats itself, or has said enough."""
        bare = fold(strip_markers(sentence)).strip(" .!\"'")
        if bare.upper().startswith(NO_ANSWER):
            self._abstained = not self._claims
            return True
        repeated = bool(bare) and bare.lower() in self._seen
        self._seen.add(bare.lower())
        return repeated or len(self._claims) + len(self._withheld) >= MAX_SENTENCES

    def take(self, sentence: str) -> Iterator[TextAdded | ClaimChecked]:
        """Verify one sentence, and yield the result."""
        body = sentence.strip()
        if not regex.search(r"\p{L}", strip_markers(body)):
            return
        verdict = self.verifier.verify(body, citations_in(body), language=self._language)
        self._dropped += len(verdict.dropped)
        if verdict.fault == "citation" and verdict.better:
            again = self.verifier.verify(body, verdict.better, language=self._language)
            if again.support != "unsupported":
                verdict = replace(again, dropped=verdict.dropped)
        if verdict.support != "unsupported" and not speaks(body, self._language):
            verdict = Verdict("unsupported", "language", citations=verdict.citations)
        if verdict.support != "unsupported" and commands(body):
            verdict = Verdict("unsupported", "question", "repeats a command", citations=verdict.citations)
        # After the first answer, further sentences may be about something else.
        if verdict.support != "unsupported" and not self._claims and loops(body):
            verdict = Verdict("unsupported", "question", "goes in circles", citations=verdict.citations)
        elif verdict.support != "unsupported" and not self._claims:
            missed = misses(self._question, body, self._language)
            verdict = Verdict("unsupported", "question", missed, citations=verdict.citations) if missed else verdict
        if verdict.support == "unsupported":
            at = len(self._text)
            claim = _claim(body, at, verdict).model_copy(update={"end": at})
            self._withheld.append(claim)
            yield ClaimChecked(claim)
            return
        if set(citations_in(body)) != set(verdict.citations):
            body = cite(body, verdict.citations)
            self._corrected += 1
        claim = _claim(body, len(self._text) + len(self._gap), verdict)
        self._claims.append(claim)
        yield TextAdded(self._gap + body)
        self._text += self._gap + body
        self._gap = "\n" if sentence.rstrip(" ").endswith("\n") else " "
        yield ClaimChecked(claim)

    def finish(self, problem: LanguageModelError | None, used: str, timings: dict[str, float]) -> Written:
        """Return the outcome."""
        if self._claims:
            outcome: Outcome = "incomplete" if problem else "written"
        elif problem:
            outcome = "failed"
        else:
            outcome = "abstained" if self._abstained or not self._withheld else "nothing_left"
        return Written(
            outcome,
            self._text,
            tuple(self._claims),
            tuple(self._withheld),
            self._dropped,
            self._corrected,
            problem,
            used,
            tuple((name, round(spent, 2)) for name, spent in timings.items()),
        )


def _claim(text: str, at: int, verdict: Verdict) -> Claim:
    return Claim(
        text=text,
        start=at,
        end=at + len(text),
        citations=verdict.citations,
        support=verdict.support,
        reason=verdict.reason,
    )
