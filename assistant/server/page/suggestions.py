"""Suggest questions: make them from what the library holds, without answering any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from assistant.answer.dialogue.topics import topic_of
from assistant.server.strings import DEFAULT, Strings, languages, strings
from assistant.suggested_questions.saved import KeptQuestion, visible
from assistant.types import Answer
from assistant.verify.language_rules import rules_of
from store.errors import AttestError
from store.library_view import ReadableLibrary
from store.types import Filter, Hit

AT_FIRST = 4
AFTER_AN_ANSWER = 3
LONGEST_NAME = 56
"""Code points of a subject. A longer title looks pasted."""
_NEAR = 10
"""Passages around an answer that are searched for headings."""


def suggest(library: ReadableLibrary, language: str, made: Sequence[KeptQuestion] = ()) -> list[str]:
    """Return up to `AT_FIRST` questions in the interface's language, the most specific first.

    `made` are questions that documents are known to answer; those of documents in `library` come first, then ones that
    fit any library. None for an empty library.
    """
    if not library.statistics().documents:
        return []
    words = strings(language if language in languages() else DEFAULT)
    sure = [each.text for each in visible(made, library, words.language, AT_FIRST - 1)]
    about_the_library = (words("suggest.documents"), words("suggest.overview"))
    return _first(AT_FIRST, [*sure, *about_the_library])


def suggest_next(
    library: ReadableLibrary, answer: Answer, language: str, made: Sequence[KeptQuestion] = ()
) -> list[str]:
    """Return up to `AFTER_AN_ANSWER` questions about the text near an answer that it didn't quote.

    They are in the answer's language, or else in `language`, the interface's. `made` are questions that documents are
    known to answer: first those of the quoted documents, then those of others about the subject.
    """
    words = strings(answer.language if answer.language in languages() else language)
    where = Filter(languages=(words.language,))  # a reader must understand the titles
    try:
        hits = library.search(answer.standalone_question, _NEAR, where).hits
    except AttestError:
        hits = ()
    asked = {answer.question.casefold(), answer.standalone_question.casefold()}
    near = dict.fromkeys([*(item.document.id for item in answer.evidence), *(hit.document.id for hit in hits)])
    rank = {document: number for number, document in enumerate(near)}
    known = sorted((each for each in made if each.document_id in rank), key=lambda each: rank[each.document_id])
    sure = visible(known, library, words.language, AFTER_AN_ANSWER + 1)  # one of them may be the question just asked
    offered = (*(each.text for each in sure), *_nearby(library, answer, hits, words))
    return _first(AFTER_AN_ANSWER, (each for each in offered if each.casefold() not in asked))


def _nearby(library: ReadableLibrary, answer: Answer, hits: Iterable[Hit], words: Strings) -> Iterator[str]:
    quoted = {item.passage_id for item in answer.evidence}
    cited = {item.document.id for item in answer.evidence}
    heard = {item.document.speaker for item in answer.evidence}
    for hit in hits:
        if hit.passage.id in quoted:
            continue
        title, heading = topic_of(hit.document.title), topic_of(_heading(library, hit))
        if heading and heading != title:
            # "Members" is clear only with its subject.
            heading = f"{heading} ({title})" if title else heading
        elif hit.document.id not in cited:
            heading = title
        if heading and _can_be_asked_about(heading, words.language):
            yield words("suggest.about", topic=heading)
        speaker = topic_of(hit.document.speaker or "")
        if speaker and hit.document.speaker not in heard:
            yield words("suggest.speaker", speaker=speaker)


def _can_be_asked_about(topic: str, language: str) -> bool:
    """Return whether a topic is a short name that fits into a question, not a question itself."""
    rules = rules_of(language)
    asks = rules is not None and rules.any_of(rules.words("question_words")).search(topic)
    return len(topic) <= LONGEST_NAME and not asks and not topic.endswith(("?", "？"))


def _heading(library: ReadableLibrary, hit: Hit) -> str:
    """Return the heading above a passage; empty if there is none."""
    span = hit.passage.heading
    return "" if span is None else library.text(hit.document.id, span.start, span.end)


def _first(count: int, questions: Iterable[str]) -> list[str]:
    """Return the first `count` questions, each once."""
    found: dict[str, None] = {}
    for question in questions:
        found.setdefault(question)
        if len(found) == count:
            break
    return list(found)
