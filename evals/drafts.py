"""`attest eval make`: a suite drafted from a library, for a person to look through before it counts.

documents in the languages asked for -> questions that their sentences answer surely -> cases, near-misses -> YAML
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from assistant.extractive_qa.network import load_reader
from assistant.suggested_questions.generator import GeneratedQuestion, generate_questions
from assistant.suggested_questions.templates import languages as template_languages
from assistant.verify.names import latin_names
from evals.near_misses import NearMiss, near_miss
from evals.text import path_parts
from store.errors import RequestError
from store.library import Library
from store.types import Document, Filter

PER_DOCUMENT = 4
"""Questions about one document: more of them resemble each other."""
_PAGE = 50
_PASSAGES = 10


@dataclass(frozen=True, slots=True)
class DraftedSuite:
    """A suite as it was drafted, and what there is to say about it."""

    text: str
    questions: dict[str, int]
    """How many were made, by language."""
    near_misses: int


@dataclass(frozen=True, slots=True)
class _Drafted:
    question: GeneratedQuestion
    miss: NearMiss | None


def draft_suite(library: Library, name: str, languages: Sequence[str], count: int) -> DraftedSuite:
    """Return a suite of up to `count` questions in each of `languages`, in YAML, all of its cases drafts.

    Without `languages`, those of the library. Raises RequestError for a language that questions can't be made in, for a
    library without anything to ask about, and where the embedding model has no reader.
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
    """Yield cases as a suite's file holds them, each with what it was made from."""
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
    """Return what a suite calls each document, by id: the end of its address, or its id where two end alike."""
    ends = {document.id: path_parts(document.uri)[-1] for document in documents}
    count = Counter(ends.values())
    return {identity: end if count[end] == 1 else identity for identity, end in ends.items()}


def check_new(path: Path) -> None:
    """Raise RequestError where a drafted suite can't go: it is no YAML file, or there already."""
    if path.suffix.lower() not in {".yaml", ".yml"}:
        raise RequestError(f"{path.name}: a suite is drafted as YAML; name a file that ends in .yaml.")
    if path.exists():
        raise RequestError(f"{path} is there already, and may have been looked through: name another file.")
