"""Questions that the library can answer: drawn from its own documents, and tried before they are shown."""

from __future__ import annotations

import logging
import threading
import time
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from assistant.server.strings import DEFAULT, Strings, languages, strings
from assistant.types import Answer, AskOptions, Evidence, Finished, Message
from store.errors import AttestError
from store.types import Document, Filter, Hit

if TYPE_CHECKING:
    from assistant.server.answer_stream import Assistant

log = logging.getLogger(__name__)

EXAMPLES = 4
FOLLOW_UPS = 3
OWN_FIRST = 3
EACH_LANGUAGE = 5
"""Documents whose titles are tried as examples."""
TRIED = 10
SPEAKERS = 3
"""Others whose word on the question is sought."""
SURE = 0.5
"""Confidence with which another speaker alone must answer a question to be said to speak to it,"""
ABOUT_AS_WELL = 0.8
"""and the share of the best quote's score that theirs must have."""
NEAR = 10
"""Passages that are looked at for ideas."""
PATIENCE = 30.0
_TOPIC_LENGTH = 90
_HEADING_LENGTH = 100


class Suggestions:
    """Example questions for an empty page, and what could be asked after an answer.

    Trying a question costs as much as answering one, so it waits while somebody's own question is being answered.
    """

    def __init__(self, assistant: Assistant, is_busy: Callable[[], bool] = lambda: False) -> None:
        self._assistant = assistant
        self._is_busy = is_busy
        self._lock = threading.Lock()
        self._examples: dict[tuple[str, int], tuple[str, ...] | None] = {}

    def examples(self, language: str) -> tuple[str, ...] | None:
        """Up to `EXAMPLES` questions in the interface's language that the library answers.

        None while they are being looked for, which the first call begins; kept until the library changes.
        """
        count = self._assistant.library.statistics().documents
        key = (language, count)
        with self._lock:
            if key in self._examples:
                return self._examples[key]
            self._examples = {kept: value for kept, value in self._examples.items() if kept[1] == count}
            self._examples[key] = None
        threading.Thread(target=self._find_examples, args=(key,), name="examples", daemon=True).start()
        return None

    def _find_examples(self, key: tuple[str, int]) -> None:
        found: tuple[str, ...] = ()
        try:
            found = tuple(self._answered(self._varied(key[0]), EXAMPLES))
        except Exception:
            log.exception("No example questions could be found")
        with self._lock:
            if len(found) < EXAMPLES and self._is_busy():
                self._examples.pop(key, None)  # it gave way to somebody's question: the next call looks again
            else:
                self._examples[key] = found

    def after(self, answer: Answer, earlier: Sequence[Message], language: str) -> tuple[str, ...]:
        """Up to `FOLLOW_UPS` questions that the library answers by words that the answer didn't quote.

        They are in the answer's language, else in `language`, the interface's; `earlier` is the conversation up to
        and with the answer.
        """
        asked_in = answer.language if answer.language in languages() else language
        question, search = answer.standalone_question, self._assistant.library.search
        try:
            near, own = search(question, NEAR).hits, search(question, NEAR, Filter(languages=(asked_in,))).hits
        except AttestError:
            return ()
        quoted = {(item.document.id, item.start) for item in answer.evidence}
        return tuple(self._answered(self._further(answer, near, own, asked_in), FOLLOW_UPS, earlier, quoted))

    def _further(self, answer: Answer, near: Sequence[Hit], own: Sequence[Hit], language: str) -> Iterator[Idea]:
        """What else stands near the answer: other speakers' words on it, other sections, other documents.

        Titles and headings come from `own`, in the language of the question: a reader must understand them.
        """
        cited = {item.document.id for item in answer.evidence}
        speakers = {item.document.speaker for item in answer.evidence}
        words = strings(language)
        others = (speaker_idea(hit.document, words) for hit in near if hit.document.speaker not in speakers)
        telling = (idea for idea in islice(_distinct(others), SPEAKERS) if self._tells(idea, answer))
        own = [hit for hit in own if hit.document.language == language]
        sections = (section_idea(hit, self._heading(hit), words) for hit in own)
        titles = (title_idea(hit.document, words) for hit in own if hit.document.id not in cited)
        for ideas in zip_longest(telling, _distinct(sections), _distinct(titles)):
            yield from filter(None, ideas)

    def _tells(self, idea: Idea, answer: Answer) -> bool:
        """Whether the idea's speaker alone answers the question about as well: else their words are beside the point."""
        where = Filter(speakers=(idea.speaker,)) if idea.speaker else Filter()
        theirs = self._answer(answer.standalone_question, (), where)
        if theirs is None or theirs.confidence < SURE:
            return False
        return theirs.evidence[0].score >= ABOUT_AS_WELL * max((item.score for item in answer.evidence), default=0.0)

    def _heading(self, hit: Hit) -> str:
        """The heading that a passage stands under, empty where there is none."""
        if hit.passage.heading is not None:
            return self._assistant.library.text(hit.document.id, hit.passage.heading.start, hit.passage.heading.end)
        line, more, _ = hit.text.lstrip().partition("\n")
        is_heading = more and len(line) <= _HEADING_LENGTH and unicodedata.category(line.rstrip()[-1])[0] != "P"
        return line if is_heading else ""

    def _varied(self, language: str) -> Iterator[Idea]:
        """Questions about documents of as many languages as there are, the interface's own first."""
        library = self._assistant.library
        tags = sorted(library.statistics().languages, key=lambda tag: tag != language)
        pages = [library.documents(limit=EACH_LANGUAGE, where=Filter(languages=(tag,))).documents for tag in tags]
        words = strings(language if language in languages() else DEFAULT)
        own = [
            document for tag, documents in zip(tags, pages, strict=True) if tag == language for document in documents
        ]
        yield from (title_idea(document, words) for document in own[:OWN_FIRST])
        for place in range(EACH_LANGUAGE):
            yield from (title_idea(documents[place], words) for documents in pages if place < len(documents))

    def _answered(
        self,
        ideas: Iterator[Idea],
        wanted: int,
        earlier: Sequence[Message] = (),
        quoted: Container[tuple[str, int]] = (),
    ) -> Iterator[str]:
        """The first `wanted` of the ideas whose question is answered from where the idea came from, and anew."""
        found: set[str] = set()
        told: set[tuple[str, int]] = set()
        for tried, idea in enumerate(ideas):
            if len(found) == wanted or tried == TRIED or not self._quiet():
                return
            answer = self._answer(idea.question, earlier)
            if answer is None or idea.question in found or not idea.is_met_by(answer.evidence[0]):
                continue
            place = (answer.evidence[0].document.id, answer.evidence[0].start)
            if place in told or place in quoted:
                continue
            found.add(idea.question)
            told.add(place)
            yield idea.question

    def _quiet(self) -> bool:
        """Wait until nobody's own question is being answered; False where that takes too long."""
        deadline = time.monotonic() + PATIENCE
        while self._is_busy():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _answer(self, question: str, earlier: Sequence[Message], where: Filter = Filter()) -> Answer | None:
        """The answer by the one best quote; None where the library doesn't answer the question."""
        try:
            for event in self._assistant.ask(question, earlier, AskOptions(mode="quotes", filter=where, max_quotes=1)):
                if isinstance(event, Finished):
                    return event.answer if event.answer.evidence else None
        except AttestError:
            return None
        return None


@dataclass(frozen=True, slots=True)
class Idea:
    """A question, and what its answer must come from: a document, or anything that a speaker says."""

    question: str
    document: str | None = None
    speaker: str | None = None

    def is_met_by(self, quote: Evidence) -> bool:
        """Whether the quote comes from there."""
        return quote.document.id == self.document if self.document else quote.document.speaker == self.speaker


def title_idea(document: Document, words: Strings) -> Idea:
    """A question about a document by its own title."""
    return Idea(words("suggest.about", topic=_cut(document.title)), document=document.id)


def section_idea(hit: Hit, heading: str, words: Strings) -> Idea | None:
    """A question about a section of a document by its heading; None where the heading is the title, or none."""
    title, topic = _cut(hit.document.title), _cut(heading)
    if not topic or topic.casefold() in title.casefold() or title.casefold() in topic.casefold():
        return None
    return Idea(words("suggest.section", title=title, topic=topic), document=hit.document.id)


def speaker_idea(document: Document, words: Strings) -> Idea | None:
    """A question about what somebody else says; None where it isn't known who does."""
    if not document.speaker:
        return None
    return Idea(words("suggest.speaker", speaker=_cut(document.speaker)), speaker=document.speaker)


def _distinct(ideas: Iterable[Idea | None]) -> Iterator[Idea]:
    seen: set[Idea] = set()
    for idea in ideas:
        if idea is not None and idea not in seen:
            seen.add(idea)
            yield idea


def _cut(text: str) -> str:
    topic = " ".join(text.split())
    return topic if len(topic) <= _TOPIC_LENGTH else topic[:_TOPIC_LENGTH].rsplit(" ", 1)[0] + "…"
