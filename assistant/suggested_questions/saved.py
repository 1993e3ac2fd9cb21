"""Save a library's suggested questions in its catalog until its documents change.

They are made in the background when the page is served, and when somebody first needs them after a change. Until then,
the old ones are suggested.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest

from assistant.answer.question import Question
from assistant.answer.retrieval import Finder
from assistant.extractive_qa.network import load_reader
from assistant.suggested_questions.clarity import clear
from assistant.suggested_questions.generator import GeneratedQuestion, generate_questions
from assistant.suggested_questions.templates import languages
from assistant.types import AskOptions
from store.derived_texts import note, noted
from store.errors import AttestError, NotFoundError
from store.library import Library
from store.library_view import ReadableLibrary
from store.types import Document

NAME = "questions"
"""The name under which the catalog keeps them."""
DOCUMENTS = 16
"""The latest documents, of which questions are made."""
OF_EACH = 4
TRIED = 3
"""Questions to try per question needed, because the library doesn't answer all of them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """A question with the document that answers it."""

    text: str
    language: str
    document_id: str


class OfferedQuestions:
    """The questions of one library. Safe to use from several threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._making = threading.Lock()

    def questions(self) -> tuple[KeptQuestion, ...]:
        """Return the saved questions; if documents have changed since, also begin to make them again."""
        kept = noted(self._library, NAME)
        if kept is None or not kept.is_current:
            # Nobody waits for them, not even a process that ends.
            threading.Thread(target=self._make, name="questions", daemon=True).start()
        return read(kept.text) if kept else ()

    def _make(self) -> None:
        if not self._making.acquire(blocking=False):
            return
        try:
            keep_questions(self._library)
        except AttestError as error:  # The library may be closing; the next visitor tries again.
            log.info("No questions were made: %s", error)
        finally:
            self._making.release()


def keep_questions(library: Library) -> None:
    """Make questions from the latest documents and save them. Raises LibraryError for a read-only library."""
    finder = Finder(library)
    with library.snapshot() as snapshot:
        latest = snapshot.newest(DOCUMENTS)
        revision = snapshot.number("revision")
    # For languages without a document, ask about names across languages; the others have enough questions of their own.
    held = {tag.partition("-")[0] for tag in library.statistics().languages}
    others = [tag for tag in languages() if tag not in held]
    made = [_of_document(document, library, finder, others) for document in latest]
    # The first of each document, then the second of each.
    turns = (each for turn in zip_longest(*made) for each in turn)
    kept = [asdict(each) for each in turns if each is not None]
    note(library, NAME, json.dumps(kept, ensure_ascii=False), revision)


def _of_document(document: Document, library: Library, finder: Finder, others: Sequence[str]) -> list[KeptQuestion]:
    """Return clear questions that the library answers with the document's own words, at most `OF_EACH` per language."""
    reader = load_reader(library.embedder)
    if reader is None:
        return []
    found = generate_questions(document, library, reader, most=OF_EACH * TRIED * (1 + len(others)), others=others)
    kept: list[KeptQuestion] = []
    for each in found:
        text = clear(each.text, each.language, document.title)
        if text is None or sum(other.language == each.language for other in kept) >= OF_EACH:
            continue
        if _is_answered(each, text, finder):
            kept.append(KeptQuestion(text, each.language, document.id))
    return kept


def _is_answered(made: GeneratedQuestion, text: str, finder: Finder) -> bool:
    """Return whether the library's first quote for a question contains the words that it was made from."""
    asked = Question(text, text, made.language, AskOptions(), time.perf_counter())
    first = next(iter(finder.find(asked).evidence), None)
    return (
        first is not None
        and first.document.id == made.document.id
        and first.start <= made.answer.start
        and made.answer.end <= first.end
    )


def read(text: str) -> tuple[KeptQuestion, ...]:
    """Return the questions that `keep_questions` saved."""
    return tuple(KeptQuestion(**each) for each in json.loads(text))


def visible(
    questions: Sequence[KeptQuestion], library: ReadableLibrary, language: str, most: int
) -> tuple[KeptQuestion, ...]:
    """Return up to `most` questions in `language` about documents of `library`, alternating between documents."""
    chosen: list[KeptQuestion] = []
    for each in (each for each in questions if each.language == language):
        if len(chosen) == most:
            break
        try:
            library.document(each.document_id)
        except NotFoundError:
            continue
        chosen.append(each)
    return tuple(chosen)


def kept_questions(library: Library, language: str, most: int) -> tuple[KeptQuestion, ...]:
    """Return up to `most` saved questions of a library, without making any."""
    kept = noted(library, NAME)
    return visible(read(kept.text), library, language, most) if kept else ()
