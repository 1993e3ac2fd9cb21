"""Make large libraries without large collections: recombine real sentences into passages, in several languages.

Embedding a hundred thousand passages takes an hour on a small machine and shows nothing about searching them. So the
real model embeds the sentences of real texts once. A made passage consists of a few of them from different texts, and
its vectors are theirs, each turned a little in a random direction. So words, their frequencies, lengths of passages and
distances between vectors are similar to those of real libraries. Terms that are rare in real libraries are less rare
here, which makes keywords slower, not faster.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.chunk import chunk
from store.embedding import FloatArray
from store.embedding.embedder import Embedder, PassageText, PassageVectors, Progress
from store.embedding.token_states import Codes, PassageTokens
from store.embedding.wrapped import WrappedEmbedder
from store.ids import document_id
from store.text.language import detect_language
from store.types import Chunk, Document, ParsedDocument, Span

PASSAGES_PER_DOCUMENT = 20
SENTENCES = (2, 6)
"""Least and most sentences in a passage."""
TURN = 0.3
"""Length of the random vector added to a unit vector: the cosine with the original is then about .96."""
SPEAKERS = 40
YEARS = range(1990, 2025)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A real sentence with its real vector, and the codes of its tokens if the model has a basis for them."""

    text: str
    language: str
    vector: FloatArray
    codes: Codes | None = None


def read_texts(folder: Path | None, samples: Path) -> list[str]:
    """Return texts to take sentences from: the samples that ship, and, if `folder` exists, articles of `thai-qa`,
    `udhr` and `xquad-dev` in it.
    """
    texts = [path.read_text(encoding="utf-8") for path in sorted(samples.glob("*.txt"))]
    texts += [path.read_text(encoding="utf-8") for path in sorted(samples.glob("*.md")) if path.stem != "README"]
    if folder is None or not folder.is_dir():
        return texts
    for path in sorted((folder / "xquad-dev").glob("xquad.*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))["data"]
        texts += ["\n".join(paragraph["context"] for paragraph in article["paragraphs"][::2]) for article in data]
    return texts + [path.read_text(encoding="utf-8") for path in sorted((folder / "udhr" / "txt").glob("*.txt"))]


def embed_sentences(texts: Iterable[str], embedder: Embedder) -> list[Sentence]:
    """Return all sentences of `texts`, each with its vector from its passage."""
    found: list[tuple[Chunk, str]] = []
    for text in texts:
        language = detect_language(text)
        cut = chunk(text, language, count_tokens=embedder.count_tokens)
        found += [(passage, text) for passage in cut]
    asked = [
        PassageText(text[p.start : p.end], tuple(Span(s.start - p.start, s.end - p.start) for s in p.sentences))
        for p, text in found
    ]
    return [
        Sentence(span.of(text).strip(), passage.language, vector, codes)
        for (passage, text), vectors in zip(found, embedder.embed_passages(asked), strict=True)
        for span, vector, codes in zip(passage.sentences, vectors.sentences, _codes(vectors), strict=True)
        if len(span.of(text).strip()) > 10
    ]


def _codes(vectors: PassageVectors) -> list[Codes | None]:
    """Return the codes of each sentence's tokens."""
    if vectors.tokens is None:
        return [None] * len(vectors.sentences)
    return [vectors.tokens.codes[first:end] for first, end in vectors.tokens.sentences]


class Recombiner(WrappedEmbedder):
    """Makes documents of recombined sentences; an `Embedder` that knows their vectors without the model.

    The same seed makes the same documents. `name` and `fingerprint` are the real model's, so a library made with this
    embedder can be opened and asked with the real one.
    """

    def __init__(self, sentences: Sequence[Sentence], inner: Embedder, seed: int = 7) -> None:
        super().__init__(inner)
        self._by_language: dict[str, list[Sentence]] = {}
        for sentence in sentences:
            self._by_language.setdefault(sentence.language, []).append(sentence)
        self._by_language = {tag: some for tag, some in self._by_language.items() if len(some) >= 20}
        self._vectors = {sentence.text: sentence.vector for sentence in sentences}
        self._codes = {sentence.text: sentence.codes for sentence in sentences if sentence.codes is not None}
        self._pick = random.Random(seed)  # noqa: S311 - no secret, only the same documents each time
        self._noise = np.random.default_rng(seed)
        self._made = 0

    def documents(self, passages: int) -> Iterator[ParsedDocument]:
        """Yield documents with about this many passages in total; each call makes new ones."""
        for _ in range(max(1, round(passages / PASSAGES_PER_DOCUMENT))):
            yield self._document()

    def embed_passages(self, passages: Sequence[PassageText], progress: Progress | None = None) -> list[PassageVectors]:
        """See `Embedder.embed_passages`: known vectors of known sentences, slightly turned."""
        made = []
        for done, passage in enumerate(passages, start=1):
            sentences = self._turned(np.stack([self._vectors[span.of(passage.text)] for span in passage.sentences]))
            whole = self._turned(sentences.mean(axis=0, keepdims=True))[0]
            made.append(
                PassageVectors(whole, sentences, self._tokens([span.of(passage.text) for span in passage.sentences]))
            )
            if progress:
                progress(done, len(passages))
        return made

    def _tokens(self, sentences: Sequence[str]) -> PassageTokens | None:
        if not self._codes:
            return None
        codes = [self._codes[sentence] for sentence in sentences]
        ends = np.cumsum([len(some) for some in codes])
        bounds = np.column_stack([ends - [len(some) for some in codes], ends])
        return PassageTokens(np.concatenate(codes), bounds.astype(np.uint16))

    def _turned(self, vectors: FloatArray) -> FloatArray:
        turned = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        turned = turned + self._noise.normal(scale=TURN / np.sqrt(self.dimensions), size=vectors.shape)
        unit: FloatArray = (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _document(self) -> ParsedDocument:
        self._made += 1
        uri = f"made:{self._made:06}"
        language = self._pick.choice(sorted(self._by_language))
        text = ""
        passages: list[Chunk] = []
        for _ in range(PASSAGES_PER_DOCUMENT):
            start = len(text)
            spans = []
            for sentence in self._pick.sample(self._by_language[language], self._pick.randint(*SENTENCES)):
                spans.append(Span(len(text), len(text) + len(sentence.text)))
                text += sentence.text + " "
            passages.append(Chunk(start, len(text) - 1, language, tuple(spans)))
        digest = hashlib.sha256(text.encode()).hexdigest()
        document = Document(
            id=document_id(uri),
            uri=uri,
            title=f"Made document {self._made}",
            language=language,
            original_sha256=digest,
            text_sha256=digest,
            speaker=f"Speaker {self._pick.randrange(SPEAKERS)}",
            published=f"{self._pick.choice(YEARS)}-{self._pick.randint(1, 12):02}",
            passage_count=len(passages),
        )
        return ParsedDocument(document, text, tuple(passages), normalization=0)
