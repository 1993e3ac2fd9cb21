"""`attest eval make`: draft a suite from a library, for a person to review before it counts.

documents in the given languages -> questions that their sentences surely answer -> cases, near misses -> YAML

A near miss is nearly answered: one fact of an answered question is changed, a year, a number or a name. It is kept if
no passage found for it contains the new value. Country names come from the Unicode CLDR, in every language.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import regex
import yaml

from assistant.extractive_qa.network import load_reader
from assistant.suggested_questions.generator import GeneratedQuestion, generate_questions
from assistant.suggested_questions.templates import languages as template_languages
from assistant.verify.names import latin_names
from assistant.verify.places import mentions
from assistant.verify.text import fold
from evals.text import path_parts
from store.errors import RequestError
from store.library import Library
from store.types import Document, Filter

PER_DOCUMENT = 4
"""Questions per document: more of them would resemble each other."""
_PAGE = 50
_PASSAGES = 10

_NUMBER = regex.compile(r"(?<![\p{Nd}.,])\p{Nd}{1,6}(?!\p{Nd}|[.,]\p{Nd})")
_STEPS = (3, 4, 6, 7, 11)
"""Added to a year or a number; the first that gives a number that isn't found is used."""

_OTHERS = frozenset({"PE", "NO", "NZ", "EG", "CA"})
"""Countries that may replace another, from five continents, so that one of them isn't in the passages."""

FoundTexts = Callable[[str], Sequence[str]]
"""The passages found for a question."""


@dataclass(frozen=True, slots=True)
class DraftedSuite:
    """A drafted suite, and remarks about it."""

    text: str
    questions: dict[str, int]
    """The number of questions made, by language."""
    near_misses: int


@dataclass(frozen=True, slots=True)
class _Drafted:
    question: GeneratedQuestion
    miss: NearMiss | None


def draft_suite(library: Library, name: str, languages: Sequence[str], count: int) -> DraftedSuite:
    """Return a suite of up to `count` questions in each of `languages`, in YAML, with all cases as drafts.

    Without `languages`, the library's are used. Raises RequestError for a language in which questions can't be made,
    for a library without anything to ask about, and for an embedding model without a reader.
    """
    reader = load_reader(library.embedder)
    if reader is None:
        raise RequestError(
            f"Questions are made by the reader, and the embedding model {library.embedder.name} has none: "
            "use the one that comes with Attest."
        )
    made: list[_Drafted] = []
    for language in _chosen(library, languages):
        questions = (
            question
            for document in _documents(library, language)
            for question in generate_questions(document, library, reader, PER_DOCUMENT)
        )
        made += _with_near_misses(library, list(islice(questions, count)))
    if not made:
        raise RequestError("No question could be made: the library has no sentence with a date, a number or a name.")
    cases = list(_cases(made))
    whole = {
        "suite": name,
        "description": "Drafted from a library. Look through each case, then take out its line `draft: true`.",
        "cases": cases,
    }
    text = yaml.safe_dump(whole, allow_unicode=True, sort_keys=False, width=110)
    by_language = Counter(each.question.language for each in made)
    return DraftedSuite(text, dict(by_language), sum(each.miss is not None for each in made))


def _chosen(library: Library, languages: Sequence[str]) -> list[str]:
    held = {tag.partition("-")[0] for tag in library.statistics().languages}
    known = template_languages()
    for language in languages:
        if language not in known:
            raise RequestError(f"Questions can be made in {', '.join(known)}, not in {language}.")
        if language not in held:
            raise RequestError(f"The library holds nothing in {language}: questions are made in a document's language.")
    return list(dict.fromkeys(languages)) or [language for language in known if language in held]


def _documents(library: Library, language: str) -> Iterator[Document]:
    after: str | None = None
    while True:
        page = library.documents(after=after, limit=_PAGE, where=Filter(languages=(language,)))
        yield from page.documents
        after = page.next
        if after is None:
            return


def _with_near_misses(library: Library, questions: Sequence[GeneratedQuestion]) -> Iterator[_Drafted]:
    def found(text: str) -> list[str]:
        return [hit.text for hit in library.search(text, _PASSAGES).hits]

    sentences = [(each.document.id, library.text(each.document.id, *_bounds(each))) for each in questions]
    names = [(document, name) for document, sentence in sentences for name in latin_names(sentence)]
    for each in questions:
        others = list(dict.fromkeys(name for document, name in names if document != each.document.id))
        yield _Drafted(each, near_miss(each.text, each.language, others, found))


def _bounds(question: GeneratedQuestion) -> tuple[int, int]:
    return question.sentence.start, question.sentence.end


def _cases(made: Sequence[_Drafted]) -> Iterator[dict[str, Any]]:
    """Yield cases in the form of a suite's file, each with its source."""
    numbers: Counter[str] = Counter()
    names = _names([each.question.document for each in made])
    for each in made:
        question = each.question
        numbers[question.language] += 1
        identity = f"{question.language}-{numbers[question.language]}"
        document = names[question.document.id]
        place = f"{document}, characters {question.answer.start} to {question.answer.end}"
        yield {
            "id": identity,
            "draft": True,
            "question": question.text,
            "language": question.language,
            "tags": ["made", question.kind],
            "answers": [question.answer_text],
            "documents": [document],
            "expect": {"answerable": True, "cites_document": [document], "quote_contains": [question.answer_text]},
            "note": f"From {place}: “{question.answer_text}”.",
        }
        if each.miss is not None:
            yield {
                "id": f"{identity}-near-miss",
                "draft": True,
                "question": each.miss.text,
                "language": question.language,
                "tags": ["made", "near-miss"],
                "expect": {"answerable": False},
                "cluster": document,
                "note": f"{identity} with “{each.miss.becomes}” in place of “{each.miss.was}”. From {place}.",
            }


def _names(documents: Sequence[Document]) -> dict[str, str]:
    """Return a suite's name for each document, by id: the end of its address, or its id if two have the same end."""
    ends = {document.id: path_parts(document.uri)[-1] for document in documents}
    count = Counter(ends.values())
    return {identity: end if count[end] == 1 else identity for identity, end in ends.items()}


def check_new(path: Path) -> None:
    """Raise RequestError if a drafted suite can't be written: it is no YAML file, or exists already."""
    if path.suffix.lower() not in {".yaml", ".yml"}:
        raise RequestError(f"{path.name}: a suite is drafted as YAML; name a file that ends in .yaml.")
    if path.exists():
        raise RequestError(f"{path} is there already, and may have been looked through: name another file.")


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A question with one fact changed."""

    text: str
    was: str
    becomes: str
    country: str | None = None
    """The code of the new country, if it is one."""


def near_miss(question: str, language: str, names: Sequence[str], found: FoundTexts) -> NearMiss | None:
    """Return `question` with one fact changed to one that the documents don't mention; None if that is impossible.

    `names` of several words, from other documents, may replace such a name. The same question gives the same near miss.
    """
    for changed in _changes(question, language, names):
        if not any(_holds(text, changed) for text in found(changed.text)):
            return changed
    return None


def _changes(question: str, language: str, names: Sequence[str]) -> Iterator[NearMiss]:
    # Change a year first, because readers take it for granted.
    for match in sorted(_NUMBER.finditer(question), key=lambda each: len(each.group()) != 4):
        for step in _STEPS:
            number = _written_as(int(match.group()) + step, match.group())
            yield _changed(question, match.start(), match.group(), number)
    countries = _countries(language)
    named = [(name, code) for name, code in countries.items() if _place(question, name) is not None]
    for was, code in sorted(named, key=lambda each: -len(each[0]))[:1]:
        start = _place(question, was) or 0
        for becomes, other in (
            (name, other) for name, other in countries.items() if other in _OTHERS and other != code
        ):
            yield _changed(question, start, was, becomes, other)
    for was in (name for name in latin_names(question) if " " in name):
        for becomes in names:
            if " " in becomes and becomes not in question and was not in becomes:
                yield _changed(question, question.index(was), was, becomes)
                break


@cache
def _countries(language: str) -> dict[str, str]:
    """Return the code of each country by its name in a language."""
    from babel import Locale, UnknownLocaleError

    try:
        territories = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        return {}
    return {name: code for code, name in territories.items() if len(code) == 2 and len(name) >= 3}


def _place(question: str, name: str) -> int | None:
    """Return where a question has a name as a separate word; Thai has no marks between words."""
    whole = rf"(?<!\p{{L}}){regex.escape(name)}(?!\p{{L}})" if name[0].isupper() else regex.escape(name)
    found = regex.search(whole, question)
    return found.start() if found else None


def _changed(question: str, start: int, was: str, becomes: str, country: str | None = None) -> NearMiss:
    return NearMiss(question[:start] + becomes + question[start + len(was) :], was, becomes, country)


def _written_as(number: int, like: str) -> str:
    """Return a number in the script of the digits of `like`."""
    zero = ord(like[0]) - unicodedata.digit(like[0])
    return "".join(chr(zero + int(digit)) for digit in str(number))


def _holds(text: str, changed: NearMiss) -> bool:
    if changed.country is not None:
        return mentions(fold(text), frozenset({changed.country}))
    if changed.becomes[0].isdecimal():
        return any(int(found) == int(changed.becomes) for found in _NUMBER.findall(text))
    return changed.becomes.casefold() in text.casefold()
