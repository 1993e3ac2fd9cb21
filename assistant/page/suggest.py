"""Questions that the library can answer: drawn from its own documents, and tried before they are shown."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from assistant.page.strings import DEFAULT, languages, strings
from assistant.types import Answer, AskOptions, Finished
from store.errors import AttestError
from store.types import Document, Filter

if TYPE_CHECKING:
    from assistant.page.asking import Assistant

log = logging.getLogger(__name__)

EXAMPLES = 4
FOLLOW_UPS = 3
TRIED = 10
NEAR = 30
PATIENCE = 30.0
_TOPIC_LENGTH = 90


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
            self._examples[key] = found

    def after(self, answer: Answer, language: str) -> tuple[str, ...]:
        """Up to `FOLLOW_UPS` questions on other documents near the answer, that the library answers."""
        asked_in = answer.language if answer.language in languages() else language
        cited = {item.document.id for item in answer.evidence}
        try:
            hits = self._assistant.library.search(answer.standalone_question, NEAR).hits
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
            if len(seen) == wanted or tried == TRIED or not self._quiet():
                return
            if question not in seen and self._is_answered(question):
                seen.add(question)
                yield question

    def _quiet(self) -> bool:
        """Wait until nobody's own question is being answered; False where that takes too long."""
        deadline = time.monotonic() + PATIENCE
        while self._is_busy():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

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
