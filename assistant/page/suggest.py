"""Questions that the library can answer: drawn from its own documents, and tried before they are shown."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assistant.page.strings import DEFAULT, languages, strings
from assistant.types import Answer, AskOptions, Finished
from store.errors import AttestError
from store.types import Document, Filter

if TYPE_CHECKING:
    from assistant.page.asking import Assistant

EXAMPLES = 4
FOLLOW_UPS = 3
TRIED = 12
_TOPIC_LENGTH = 90


class Suggestions:
    """Example questions for an empty page, and what could be asked after an answer."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._lock = threading.Lock()
        self._examples: dict[tuple[str, int], tuple[str, ...]] = {}

    def examples(self, language: str) -> tuple[str, ...]:
        """Up to `EXAMPLES` questions in the interface's language that the library answers; kept until it changes."""
        count = self._assistant.library.statistics().documents
        with self._lock:
            key = (language, count)
            if key not in self._examples:
                self._examples = {kept: value for kept, value in self._examples.items() if kept[1] == count}
                self._examples[key] = tuple(self._answered(self._varied(language), EXAMPLES))
            return self._examples[key]

    def after(self, answer: Answer, language: str) -> tuple[str, ...]:
        """Up to `FOLLOW_UPS` questions on other documents near the answer, that the library answers."""
        asked_in = answer.language if answer.language in languages() else language
        cited = {item.document.id for item in answer.evidence}
        try:
            hits = self._assistant.library.search(answer.standalone_question, 30).hits
        except AttestError:
            return ()
        near = {hit.document.id: hit.document for hit in hits if hit.document.id not in cited}
        speakers = {item.document.speaker for item in answer.evidence}
        others = sorted(near.values(), key=lambda document: document.speaker in speakers)
        questions = (question_about(document, asked_in) for document in others)
        return tuple(q for q in self._answered(questions, FOLLOW_UPS) if q != answer.question)

    def _varied(self, language: str) -> Iterator[str]:
        """Questions about documents of as many languages as there are."""
        library = self._assistant.library
        tags = list(library.statistics().languages)
        pages = [library.documents(limit=5, where=Filter(languages=(tag,))).documents for tag in tags]
        for place in range(5):
            for documents in pages:
                if place < len(documents):
                    yield question_about(documents[place], language)

    def _answered(self, questions: Iterator[str], wanted: int) -> Iterator[str]:
        seen: set[str] = set()
        for tried, question in enumerate(questions):
            if len(seen) == wanted or tried == TRIED:
                return
            if question not in seen and self._is_answered(question):
                seen.add(question)
                yield question

    def _is_answered(self, question: str) -> bool:
        try:
            events = self._assistant.ask(question, (), AskOptions(mode="quotes", max_quotes=1))
            return any(isinstance(event, Finished) and event.answer.answered for event in events)
        except AttestError:
            return False


def question_about(document: Document, language: str) -> str:
    """A question about a document by its own title, in the interface's language."""
    topic = " ".join(document.title.split())
    topic = topic if len(topic) <= _TOPIC_LENGTH else topic[:_TOPIC_LENGTH].rsplit(" ", 1)[0] + "…"
    words = strings(language if language in languages() else DEFAULT)
    return words("suggest.about", topic=topic)
