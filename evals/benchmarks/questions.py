"""Load questions with known answers for benchmarks, and build libraries from their paragraphs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.chunk import chunk
from store.embedding import FloatArray
from store.embedding.embedder import Embedder, PassageText, PassageVectors, Progress, QuestionVectors
from store.embedding.wrapped import WrappedEmbedder
from store.ids import document_id
from store.library import Library
from store.types import Document, ParsedDocument


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph in one language; paragraphs with the same number are translations of each other."""

    number: int
    article: int
    language: str
    text: str

    @property
    def uri(self) -> str:
        """Its name in a library."""
        return f"paragraph:{self.language}:{self.number}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the paragraph and the words that answer it, in the paragraph's own language."""

    id: str
    text: str
    language: str
    paragraph: int
    answers: tuple[str, ...]
    start: int = 0
    """Where the first of them begins in the paragraph, in code points."""


@dataclass(frozen=True, slots=True)
class Parallel:
    """Paragraphs and questions of one language of a parallel collection."""

    language: str
    paragraphs: tuple[Paragraph, ...]
    questions: tuple[Asked, ...]


def read_xquad(folder: Path) -> dict[str, Parallel]:
    """Return all files of a folder with names like `xquad.LANGUAGE.json` or `LANGUAGE.json`, by language."""
    found: dict[str, Parallel] = {}
    for path in sorted(folder.glob("*.json")):
        language = path.stem.rpartition(".")[2]
        paragraphs: list[Paragraph] = []
        questions: list[Asked] = []
        for article, entry in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
            for paragraph in entry["paragraphs"]:
                number, text = len(paragraphs), paragraph["context"].lstrip("\ufeff")
                left_out = len(paragraph["context"]) - len(text)
                paragraphs.append(Paragraph(number, article, language, text))
                for asked in paragraph["qas"]:
                    answers, first = tuple(each["text"] for each in asked["answers"]), asked["answers"][0]
                    start = first["answer_start"] - left_out
                    questions.append(Asked(asked["id"], asked["question"], language, number, answers, start))
        found[language] = Parallel(language, tuple(paragraphs), tuple(questions))
    return found


def read_thai_qa(path: Path) -> Parallel:
    """Return iapp-wiki-qa: questions on articles, written by native speakers of Thai."""
    numbers: dict[str, int] = {}
    paragraphs: list[Paragraph] = []
    questions: list[Asked] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        article = row["article_id"]
        if article not in numbers:
            numbers[article] = len(paragraphs)
            paragraphs.append(Paragraph(numbers[article], numbers[article], "th", row["context"]))
        answers = tuple(row["answers"]["text"])
        questions.append(Asked(row["question_id"], row["question"], "th", numbers[article], answers))
    return Parallel("th", tuple(paragraphs), tuple(questions))


def rotated(parallel: dict[str, Parallel], rotation: int) -> list[Paragraph]:
    """Return each paragraph in one language only; with as many rotations as languages, once in each of them."""
    languages = list(parallel)
    count = len(parallel[languages[0]].paragraphs)
    return [parallel[languages[(number + rotation) % len(languages)]].paragraphs[number] for number in range(count)]


def fill(library: Library, paragraphs: Iterable[Paragraph]) -> None:
    """Put paragraphs into a library, each as a separate document."""
    for _ in library.add_many(parse(each, library.embedder) for each in paragraphs):
        pass


def parse(paragraph: Paragraph, embedder: Embedder) -> ParsedDocument:
    """Return a paragraph as a document. Its text stays unchanged, so that it still contains gold answers."""
    digest = hashlib.sha256(paragraph.text.encode()).hexdigest()
    passages = chunk(paragraph.text, paragraph.language, count_tokens=embedder.count_tokens)
    document = Document(
        id=document_id(paragraph.uri),
        uri=paragraph.uri,
        title=f"Paragraph {paragraph.number}",
        language=paragraph.language,
        original_sha256=digest,
        text_sha256=digest,
        passage_count=len(passages),
    )
    return ParsedDocument(document, paragraph.text, passages, normalization=0)


class RememberingEmbedder(WrappedEmbedder):
    """The real model, called once for each text, so that libraries of the same paragraphs and questions share vectors."""

    def __init__(self, inner: Embedder) -> None:
        super().__init__(inner)
        self._questions: dict[str, QuestionVectors] = {}
        self._queries: dict[str, FloatArray] = {}
        self._passages: dict[PassageText, PassageVectors] = {}

    def embed_question(self, text: str) -> QuestionVectors:
        """See `Embedder.embed_question`."""
        if text not in self._questions:
            self._questions[text] = self.inner.embed_question(text)
        return self._questions[text]

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """See `Embedder.embed_queries`."""
        new = [text for text in dict.fromkeys(texts) if text not in self._queries]
        if new:
            self._queries |= dict(zip(new, self.inner.embed_queries(new), strict=True))
        return np.stack([self._queries[text] for text in texts])

    def embed_passages(self, passages: Sequence[PassageText], progress: Progress | None = None) -> list[PassageVectors]:
        """See `Embedder.embed_passages`."""
        new = [passage for passage in dict.fromkeys(passages) if passage not in self._passages]
        if new:
            self._passages |= dict(zip(new, self.inner.embed_passages(new, progress), strict=True))
        return [self._passages[passage] for passage in passages]
