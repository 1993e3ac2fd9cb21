"""Decide what a turn needs: an answer built here, or a question to look up.

turn -> typing corrected -> language -> kind -> answered here (talk, catalog, overview, list, comparison)
                                           -> or a standalone question
"""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from assistant.answer.dialogue import comparison, library_questions, listing, overview, small_talk
from assistant.answer.dialogue.answer_builder import Draft
from assistant.answer.dialogue.answer_language import turn_language
from assistant.answer.dialogue.classifier import TurnClassifier
from assistant.answer.dialogue.followup_readings import Rewrite, look_up
from assistant.answer.dialogue.taken_up import taken_up
from assistant.answer.dialogue.turn_kinds import TurnKind
from assistant.answer.dialogue.turn_parts import find, language_named
from assistant.answer.question import Question, clean_question
from assistant.answer.retrieval import Finder, Found
from assistant.answer.spelling.speller import meant
from assistant.extractive_qa.identifiers import names_alone, with_digits
from assistant.types import Answer, AskOptions, ClaimChecked, Event, EvidenceFound, Finished, Message, TextAdded
from store.library import Library
from store.types import Document

PASSAGES = 10
"""Passages examined to decide how well a reading of a follow-up is answered."""
_DECIDED_BY_PARTS: frozenset[TurnKind] = frozenset(
    {"question", "follow_up", "position", "list", "overview", "comparison"}
)
_ABOUT_NO_DOCUMENT: frozenset[TurnKind] = frozenset(
    {"greeting", "about", "feedback", "nonsense", "language", "library"}
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn, understood."""

    kind: TurnKind
    question: Question
    """To look up in the documents, if there is no `answer`."""
    answer: Answer | None = None
    found: Found | None = None
    """What a follow-up's readings found together; None for a question that follows nothing."""


def shown(answer: Answer) -> Generator[Event]:
    """Yield the events of an answer that is complete at once."""
    yield EvidenceFound(answer.standalone_question, answer.language, answer.evidence, answer.confidence)
    yield TextAdded(answer.text)
    yield from map(ClaimChecked, answer.claims)
    yield Finished(answer)


class Planner:
    """Understands the turns of conversations with one library. Safe to use from several threads."""

    def __init__(self, library: Library, finder: Finder, rewrite: Rewrite | None = None) -> None:
        """`rewrite` makes follow-ups standalone with a language model: one more reading, if answers are written."""
        self._library = library
        self._finder = finder
        self._rewrite = rewrite
        self._lock = threading.Lock()
        self._classifier: TurnClassifier | None = None

    def plan(self, question: str, history: Sequence[Message], options: AskOptions) -> Turn:
        """Return what `question` needs after `history` (oldest first).

        Raises QuestionError for what `clean_question` refuses, LibraryError and ModelError.
        """
        started = time.perf_counter()
        typed = clean_question(question)
        history = tuple(replace(each, text=_read(each, options)) for each in history if each.text.strip())
        reading = None if options.as_typed else meant(typed, self._library, options.filter)
        text = reading.text if reading else typed
        language = turn_language(text, history, options)
        read = text if options.as_typed else with_digits(text)
        asked = Question(question, read, language, options, started, text if reading else None)
        kind = self._kind_after(asked, history)
        if kind == "language":
            return self._again(asked, history)
        if (answer := self._answered(kind, asked, history)) is not None:
            return Turn(kind, asked, answer)
        earlier = self._questions(history)
        if (again := self._of_the_same_kind(kind, asked, earlier)) is not None:
            same, whole = again
            if (answer := self._answered(same, whole, history)) is not None:
                return Turn(same, whole, answer)
        return self._looked_up(kind, asked, earlier, with_digits(typed) if reading and not reading.is_sure else None)

    def _ready(self) -> TurnClassifier:
        with self._lock:
            if self._classifier is None:
                self._classifier = TurnClassifier(self._library.embedder)
            return self._classifier

    def _kind(self, text: str) -> TurnKind:
        return self._ready().kind(text)

    def _kind_after(self, asked: Question, history: Sequence[Message]) -> TurnKind:
        """Return the kind of a turn, by similarity, by its parts if several kinds are similar, and by the previous
        turn.

        A turn counts as a summary or a comparison only if it names its object. A turn with a condition on documents
        that follows one about the library is about the library too. A code or an article's number alone asks what it
        says.
        """
        if names_alone(asked.alone):
            return "question"
        likely = self._ready().likely(asked.alone)
        if likely[0] not in _DECIDED_BY_PARTS:
            return likely[0]
        for kind, pattern in (("comparison", "compare"), ("overview", "overview")):
            if kind in likely and find(pattern, asked.alone, asked.language) is not None:
                return kind
        users = [message.text for message in history if message.role == "user"]
        conditions = ("written_in", "topic", "since", "until", "by")
        narrows = likely[0] == "follow_up" or "library" in likely
        named = narrows and any(find(name, asked.alone, asked.language) for name in conditions)
        return "library" if users and named and self._kind(users[-1]) == "library" else likely[0]

    def _of_the_same_kind(
        self, kind: TurnKind, asked: Question, earlier: Sequence[Message]
    ) -> tuple[TurnKind, Question] | None:
        """Return a turn that only names another thing as the turn before it, if that one was no plain question.

        "What does A say about trade?", "and about work?" asks for a position again.
        """
        if kind not in ("question", "follow_up"):
            return None
        kinds = partial(self._kind_alone, asked)
        again = taken_up(asked.alone, earlier, kinds, asked.options.filter, self._library)
        return (again[0], replace(asked, alone=again[1])) if again else None

    def _kind_alone(self, asked: Question, text: str) -> TurnKind:
        return self._kind_after(replace(asked, alone=text), ())

    def _answered(self, kind: TurnKind, asked: Question, history: Sequence[Message]) -> Answer | None:
        """Return the answer to a turn that isn't a question to look up, or None."""
        library, finder = self._library, self._finder
        forms: dict[TurnKind, Callable[[], Answer | None]] = {
            "greeting": lambda: small_talk.greet(asked, library),
            "about": lambda: small_talk.reply(asked, "about", library),
            "feedback": lambda: small_talk.reply(asked, "feedback", library),
            "nonsense": lambda: small_talk.reply(asked, "nonsense", library),
            "library": lambda: library_questions.answer(asked, library, finder),
            "overview": lambda: overview.answer(asked, library, finder, self._spoken_of(asked, history)),
            "position": lambda: overview.of_position(asked, library, finder),
            "list": lambda: listing.answer(asked, library, finder),
            "comparison": lambda: comparison.answer(asked, library, finder),
        }
        return forms[kind]() if kind in forms else None

    def _looked_up(self, kind: TurnKind, asked: Question, earlier: Sequence[Message], typed: str | None) -> Turn:
        """Return the standalone question, with what its readings found if it follows another one.

        If what was `typed` may be right, look it up too, and take it if it has the better answer.
        """
        rewrite = self._rewrite if asked.options.mode == "written" else None
        leans = kind == "follow_up"
        found = look_up(asked, earlier, self._library, self._finder.find, rewrite, leans=leans)
        if found is None and typed is not None:
            readings = (asked, replace(asked, alone=typed, meant=None))
            found = max(map(self._finder.find, readings), key=lambda each: each.confidence)
        return Turn(kind, found.question if found else asked, found=found)

    def _again(self, asked: Question, history: Sequence[Message]) -> Turn:
        """Return the last question, to answer in the language that the turn names."""
        language = language_named("in_language", asked.alone, asked.language) or asked.language
        earlier = self._questions(history)
        users = [place for place, message in enumerate(earlier) if message.role == "user"]
        options = replace(asked.options, answer_language=language)
        if not users:
            draft = Draft(replace(asked, language=language, options=options), "talk", self._library)
            draft.say(draft.phrases.say("again_none", language=draft.phrases.language_name(language)))
            return Turn("language", asked, draft.answer())
        last = earlier[users[-1]].text
        turn = self.plan(last, earlier[: users[-1]], options)
        question = replace(turn.question, asked=asked.asked)
        answer = turn.answer and turn.answer.model_copy(update={"question": asked.asked})
        found = turn.found and replace(turn.found, question=question)
        return replace(turn, kind="language", question=question, answer=answer, found=found)

    def _questions(self, history: Sequence[Message]) -> tuple[Message, ...]:
        """Return `history` without the turns that aren't about the documents: nothing refers back to a "thank you"."""
        kept: list[Message] = []
        skipping = False
        users = [message.text for message in history if message.role == "user"]
        kinds = dict(zip(users, map(self._kind, users), strict=True))
        for message in history:
            if message.role == "user":
                skipping = kinds[message.text] in _ABOUT_NO_DOCUMENT
            if not skipping:
                kept.append(message)
        return tuple(kept)

    def _spoken_of(self, asked: Question, history: Sequence[Message]) -> Document | None:
        """Return the document that the conversation is about: the chosen one, or the last answer's first."""
        chosen = asked.options.filter.documents
        if len(chosen) == 1:
            return self._library.document(chosen[0])
        earlier = self._questions(history)
        last = next((message.text for message in reversed(earlier) if message.role == "user"), None)
        if last is None:
            return None
        found = self._library.search(last, PASSAGES, asked.options.filter)
        return found.hits[0].document if found.hits else None


def _read(said: Message, options: AskOptions) -> str:
    """Return the text of an earlier turn as that of this one is read."""
    text = unicodedata.normalize("NFC", said.text)
    return text if said.role == "assistant" or options.as_typed else with_digits(text)
