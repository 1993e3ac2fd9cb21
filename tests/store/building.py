"""Provide what tests of the store need: a small real embedder, and documents of any words."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
import regex
from numpy.typing import NDArray

from store.embedding import FloatArray
from store.embedding.centering import LanguageMeans
from store.embedding.embedder import PassageText, PassageVectors, QuestionVectors
from store.embedding.token_states import SIZE, PassageTokens, TokenBasis
from store.ids import document_id
from store.library import Library
from store.types import Chunk, Document, ParsedDocument, Span

SCRIPTS = {
    "en": ("The forum opened in Beijing.", "Two hundred delegates took part; none declined."),
    "th": ("ฟอรัมเปิดขึ้นที่ปักกิ่ง", "มีผู้แทนสองร้อยคนเข้าร่วม"),
    "vi": ("Diễn đàn khai mạc tại Bắc Kinh.", "Hai trăm đại biểu đã tham dự."),
    "vi-nfd": tuple(
        unicodedata.normalize("NFD", text) for text in ("Hội thảo về quyền con người.", "Được tổ chức ở Genève.")
    ),
    "ar": ("افتُتح المنتدى في بكين.", "شارك مئتا مندوب."),
    "zh": ("论坛在北京开幕。", "两百名代表出席了会议。"),
    "emoji": ("👩‍👩‍👧‍👦 came 🇹🇭.", "Then 🏳️‍🌈 left; 𠮷 stayed."),
}


_PRIMES = np.array([0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)


class HashingEmbedder:
    """Counts hashed character trigrams: no meaning, but equal words are near and vectors are exact.

    `embedded` counts the passages that went through it.
    """

    def __init__(self, name: str = "trigrams", dimensions: int = 64) -> None:
        self.name = name
        self.fingerprint = hashlib.sha256(f"{name} {dimensions}".encode()).hexdigest()[:16]
        self.dimensions = dimensions
        self.max_tokens = 512
        axes = np.eye(dimensions, SIZE, dtype=np.float32)
        self.basis = TokenBasis(
            np.zeros(dimensions, np.float32), axes, np.full(SIZE, 0.1, np.float32), LanguageMeans.none(SIZE)
        )
        self.embedded = 0
        self.keeps_tokens = True
        self._seed = np.uint64(int(self.fingerprint, 16))

    @property
    def token_basis(self) -> TokenBasis | None:
        return self.basis if self.keeps_tokens else None

    def embed_question(self, text: str) -> QuestionVectors:
        return QuestionVectors(self._vector(text), self._states(text)[0] if self.keeps_tokens else None)

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([self._vector(text) for text in texts])

    def embed_passages(
        self, passages: Sequence[PassageText], progress: Callable[[int, int], None] | None = None
    ) -> list[PassageVectors]:
        self.embedded += len(passages)
        made = []
        for done, passage in enumerate(passages, start=1):
            whole = self._vector(f"{passage.heading or ''}{passage.text}")
            sentences = [self._vector(span.of(passage.text)) for span in passage.sentences]
            states, offsets = self._states(passage.text)
            tokens = PassageTokens.of(self.basis.encode(states), offsets, passage.sentences)
            parts = np.array(sentences, np.float32).reshape(-1, self.dimensions)
            made.append(PassageVectors(whole, parts, tokens if self.keeps_tokens else None))
            if progress:
                progress(done, len(passages))
        return made

    def count_tokens(self, text: str) -> int:
        return len(self.tokenize(text))

    def tokenize(self, text: str) -> list[str]:
        return regex.findall(r"\w+|[^\w\s]", text)

    def _states(self, text: str) -> tuple[FloatArray, NDArray[np.int64]]:
        words = list(regex.finditer(r"\w+|[^\w\s]", text))
        states = np.array([self._vector(word[0]) for word in words], np.float32).reshape(-1, self.dimensions)
        return self.basis.project(states), np.array([word.span() for word in words], np.int64).reshape(-1, 2)

    def _vector(self, text: str) -> FloatArray:
        codes = np.frombuffer(f"^^{text}$".encode("utf-32-le"), "<u4").astype(np.uint64)
        mixed = codes[:-2] * _PRIMES[0] + codes[1:-1] * _PRIMES[1] + codes[2:] * _PRIMES[2] + self._seed
        mixed ^= mixed >> np.uint64(29)
        mixed *= _PRIMES[3]
        signs = np.where(mixed >> np.uint64(63), 1.0, -1.0)
        places = (mixed >> np.uint64(33)) % np.uint64(self.dimensions)
        vector = np.bincount(places.astype(np.int64), signs, self.dimensions)
        vector[0] += 0.5
        unit: FloatArray = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit


def parsed(
    uri: str,
    *paragraphs: str,
    language: str = "en",
    title: str | None = None,
    speaker: str | None = None,
    published: str | None = None,
    id: str | None = None,
    heading: str | None = None,
    normalization: int = 1,
) -> ParsedDocument:
    """A document of one passage a paragraph, its sentences cut after full stops."""
    body = [heading, *paragraphs] if heading else list(paragraphs)
    text = "\n".join(body)
    passages = []
    at = len(heading) + 1 if heading else 0
    for paragraph in paragraphs:
        sentences = [Span(at + found.start(), at + found.end()) for found in regex.finditer(r"[^.]+\.?", paragraph)]
        passages.append(
            Chunk(
                start=at,
                end=at + len(paragraph),
                language=language,
                sentences=tuple(sentences),
                heading=Span(0, len(heading)) if heading else None,
            )
        )
        at += len(paragraph) + 1
    digest = hashlib.sha256(text.encode()).hexdigest()
    document = Document(
        id=id if id is not None else document_id(uri),
        uri=uri,
        title=title or uri,
        language=language,
        original_sha256=hashlib.sha256(b"file " + text.encode()).hexdigest(),
        text_sha256=digest,
        speaker=speaker,
        published=published,
        passage_count=len(passages),
    )
    return ParsedDocument(document, text, tuple(passages), normalization)


def many(count: int, passages: int = 3, prefix: str = "report") -> list[ParsedDocument]:
    """Documents whose passages all differ."""
    return [
        parsed(
            f"{prefix}-{number:05}",
            *(f"Finding {part} of {prefix} {number} is {_word(number * 1000 + part)}." for part in range(passages)),
        )
        for number in range(count)
    ]


def add(library: Library, *documents: ParsedDocument) -> list[str]:
    """Add documents; returns their outcomes."""
    return [result.outcome for result in library.add_many(documents)]


def found(library: Library, query: str, k: int = 5) -> list[str]:
    """The texts of the hits."""
    return [hit.text for hit in library.search(query, k).hits]


_ROWS = (
    "SELECT d.id, d.uri, d.title, d.speaker, d.published, d.text_sha256, d.version, d.state, d.stale, p.id, "
    "p.ordinal, p.start_offset, p.end_offset, p.language, p.sentences, p.content, v.embedding, v.halves "
    "FROM documents d LEFT JOIN passages p ON p.document = d.key LEFT JOIN vectors v ON v.passage = p.key "
    "ORDER BY d.uri, d.state, p.ordinal"
)
_TEXTS = "SELECT d.uri, t.block, t.text FROM documents d JOIN texts t ON t.document = d.key ORDER BY d.uri, t.block"
_LANGUAGES = "SELECT * FROM languages ORDER BY language"


def contents(library: Library) -> dict[str, object]:
    """All that a library holds, row for row, without the numbers that only the catalog file knows."""
    with library.snapshot() as snapshot:
        rows, texts, languages = (
            [tuple(row) for row in snapshot._connection.exec_driver_sql(query)] for query in (_ROWS, _TEXTS, _LANGUAGES)
        )
    with library.ownership.indexes() as indexes:
        vectors = sorted(indexes.owned.ids())
        keywords = sorted(indexes.keywords.passage_ids())
    return {"rows": rows, "texts": texts, "languages": languages, "vectors": vectors, "keywords": keywords}


def _word(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
