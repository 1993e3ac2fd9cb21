"""Questions that could be asked: made from what the library holds, without answering any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assistant.server.strings import DEFAULT, Strings, languages, strings
from assistant.types import Answer
from store.errors import AttestError
from store.library_view import ReadableLibrary
from store.types import Document, Filter, Hit

AT_FIRST = 4
AFTER_AN_ANSWER = 3
LONGEST_TOPIC = 60
"""Characters: a longer title or heading makes no question that anybody would ask."""
_LOOKED_AT = 12
"""Documents whose titles are looked at for one language."""
_NEAR = 10
"""Passages around an answer that are looked at for headings."""
_SUBTITLE = re.compile(r"\s*(?:[:|\u2013\u2014\uff1a]|\s-\s).*", re.DOTALL)
_QUOTATION_MARKS = re.compile('["\u201c\u201d\u201e\u2018\u00ab\u00bb\u300c\u300d\u300e\u300f]')
_FILE_NAME = re.compile(r"[_/\\<>]|\.\w{2,5}$")


def suggest(library: ReadableLibrary, language: str) -> list[str]:
    """Return up to `AT_FIRST` questions in the interface's language, the most particular first.

    None for an empty library; for any other at least one.
    """
    statistics = library.statistics()
    if not statistics.documents:
        return []
    words = strings(language if language in languages() else DEFAULT)
    topics = (topic_of(document.title) for document in _documents(library, words.language))
    speakers = (
        topic_of(speaker) for speaker in sorted(statistics.speakers, key=lambda name: -statistics.speakers[name])
    )
    about = _first(2, (words("suggest.about", topic=topic) for topic in topics if topic))
    said = _first(1, (words("suggest.speaker", speaker=speaker) for speaker in speakers if speaker))
    return [*about, *said, words("suggest.documents")][:AT_FIRST]


def suggest_next(library: ReadableLibrary, answer: Answer, language: str) -> list[str]:
    """Return up to `AFTER_AN_ANSWER` questions on what stands near an answer, and that it didn't quote.

    They are in the answer's language, else in `language`, the interface's.
    """
    words = strings(answer.language if answer.language in languages() else language)
    where = Filter(languages=(words.language,))  # a reader must understand the titles
    try:
        hits = library.search(answer.standalone_question, _NEAR, where).hits
    except AttestError:
        return []
    asked = answer.standalone_question.casefold()
    return _first(AFTER_AN_ANSWER, (each for each in _nearby(library, answer, hits, words) if each.casefold() != asked))


def _nearby(library: ReadableLibrary, answer: Answer, hits: Iterable[Hit], words: Strings) -> Iterator[str]:
    quoted = {item.passage_id for item in answer.evidence}
    cited = {item.document.id for item in answer.evidence}
    heard = {item.document.speaker for item in answer.evidence}
    for hit in hits:
        if hit.passage.id in quoted:
            continue
        title, heading = topic_of(hit.document.title), topic_of(_heading(library, hit))
        if heading and heading != title:
            yield words("suggest.about", topic=heading)
        elif hit.document.id not in cited and title:
            yield words("suggest.about", topic=title)
        speaker = topic_of(hit.document.speaker or "")
        if speaker and hit.document.speaker not in heard:
            yield words("suggest.speaker", speaker=speaker)


def _heading(library: ReadableLibrary, hit: Hit) -> str:
    """The heading that a passage stands under, empty where there is none."""
    span = hit.passage.heading
    return "" if span is None else library.text(hit.document.id, span.start, span.end)


def _documents(library: ReadableLibrary, language: str) -> Iterator[Document]:
    """Some documents in the interface's language, else some in others."""
    yield from library.documents(limit=_LOOKED_AT, where=Filter(languages=(language,))).documents
    yield from library.documents(limit=_LOOKED_AT).documents


def topic_of(title: str) -> str | None:
    """Return what a title or a heading is about, without subtitle and quotation marks; None for one that doesn't say.

    >>> topic_of("Floods on the Red River: a report")
    'Floods on the Red River'
    >>> topic_of("scan_0012.pdf") is None
    True
    """
    plain = " ".join(_QUOTATION_MARKS.sub(" ", title).split())
    topic = _SUBTITLE.sub("", plain) or plain
    topic = topic.strip(" .,;!?\u0e2f\u3002")
    letters = sum(character.isalpha() for character in topic)
    return topic if letters >= 3 and len(topic) <= LONGEST_TOPIC and not _FILE_NAME.search(plain) else None


def _first(count: int, questions: Iterable[str]) -> list[str]:
    """The first `count` questions, each once."""
    found: dict[str, None] = {}
    for question in questions:
        found.setdefault(question)
        if len(found) == count:
            break
    return list(found)
