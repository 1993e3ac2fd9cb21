"""Turn text into vectors: the `Embedder` interface, and an embedder of a tokenizer and a model of token states.

A passage and its sentences share one pass through the model. The passage's vector is pooled from all its tokens, a
sentence's from its own tokens in the passage ("late chunking", Günther et al. 2024, arXiv:2409.04701). So sentences
have context at no extra cost. `docs/decisions` has the measurement.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from store.embedding import FloatArray
from store.embedding.pooling import Pooling, pool, pool_spans, unit
from store.embedding.token_states import PassageTokens, TokenBasis
from store.types import Span

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Progress = Callable[[int, int], None]

BATCH_TOKENS = 2048
"""Padded tokens per batch: more are no faster on a CPU, and use more memory."""
RECENT_QUESTIONS = 64
"""Questions whose vectors are cached, some 20 kB each."""


@dataclass(frozen=True, slots=True)
class PassageText:
    """The parts of a passage to embed; `sentences` are spans of `text`."""

    text: str
    sentences: tuple[Span, ...] = ()
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """Unit-length vectors: `passage` of shape (dimensions,), `sentences` of (sentences, dimensions)."""

    passage: FloatArray
    sentences: FloatArray
    tokens: PassageTokens | None = None
    """The states of its tokens, if the model has a basis for them."""


@dataclass(frozen=True, slots=True)
class QuestionVectors:
    """A question's unit-length vector ``(dimensions,)``."""

    vector: FloatArray
    tokens: FloatArray | None = None
    """The projected states of its tokens with letters, ``(tokens, size)``, if the model has a basis."""


class Embedder(Protocol):
    """Makes vectors from texts. Implementations are safe to call from several threads."""

    @property
    def name(self) -> str:
        """The model's name for users."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever vectors would: with weights, pooling, prompts."""

    @property
    def dimensions(self) -> int:
        """The length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Tokens that the model reads of one text; the rest is ignored."""

    @property
    def token_basis(self) -> TokenBasis | None:
        """How states of single tokens are stored; None if no basis ships for the model."""

    def embed_question(self, text: str) -> QuestionVectors:
        """Return one question's vector with its tokens."""

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """Return unit-length vectors of questions, of shape (texts, dimensions)."""

    def embed_passages(self, passages: Sequence[PassageText], progress: Progress | None = None) -> list[PassageVectors]:
        """Return vectors of passages and of their sentences, in the order given."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens in `text`, without special ones."""

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of `text` as strings, without special ones."""


class TokenModel(Protocol):
    """Makes states of tokens: `store.embedding.encoder.Encoder`, or any model that transformers runs."""

    @property
    def hidden(self) -> int:
        """The length of a state."""

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray:
        """Return states ``(rows, tokens, hidden)`` for ids ``(rows, tokens)``; `mask` is 0 for padding."""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model's instructions for use, from its files."""

    fingerprint: str
    """Changes whenever vectors would."""
    prompts: Mapping[str, str]
    """The prefix of a text, by `query` and `document`."""
    pooling: Pooling
    max_tokens: int
    padding: int
    """The id of the padding token."""


class TextEmbedder:
    """An embedding model behind a Hugging Face tokenizer, with its own prompts and pooling."""

    def __init__(self, name: str, tokenizer: Tokenizer, model: TokenModel, use: ModelUse) -> None:
        self.name = name
        self.fingerprint = use.fingerprint
        self.max_tokens = use.max_tokens
        self.dimensions = model.hidden
        self.token_basis = TokenBasis.load(name, self.dimensions)
        self.tokenizer = tokenizer
        self._model = model
        self._prompts = use.prompts
        self._pooling = use.pooling
        self._padding = use.padding
        self._lock = threading.Lock()
        self._remembered = lru_cache(maxsize=RECENT_QUESTIONS)(self._embed_question)

    def embed_question(self, text: str) -> QuestionVectors:
        """See `Embedder.embed_question`. The latest are cached, because one question is often used by several parts."""
        return self._remembered(text)

    def _embed_question(self, text: str) -> QuestionVectors:
        ((read,),) = self._forward([PassageText(text)], self._prompts["query"], states=self.token_basis is not None)
        if self.token_basis is None:
            return QuestionVectors(read.vector)
        own = read.own()
        # All numbers are close to each other; keywords distinguish them.
        words = [any(map(str.isalpha, text[max(0, start) : end])) for start, end in read.offsets[own].tolist()]
        return QuestionVectors(read.vector, read.projected[own][words])

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """See `Embedder.embed_queries`."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for batch in self._forward([PassageText(text) for text in texts], self._prompts["query"], states=False):
            for read in batch:
                vectors[read.index] = read.vector
        return vectors

    def embed_passages(self, passages: Sequence[PassageText], progress: Progress | None = None) -> list[PassageVectors]:
        """See `Embedder.embed_passages`. `progress` is called with (passages done, passages in all)."""
        results: dict[int, PassageVectors] = {}
        late = self._pooling == "mean"
        wants_states = late or self.token_basis is not None
        for batch in self._forward(passages, self._prompts["document"], states=wants_states):
            for read in batch:
                results[read.index] = self._vectors(read, passages[read.index].sentences, late=late)
            if progress:
                progress(len(results), len(passages))
        vectors = [results[index] for index in range(len(passages))]
        return vectors if late else self._with_sentences_alone(passages, vectors)

    def token_states(self, texts: Sequence[str], *, as_queries: bool) -> list[FloatArray]:
        """Return the unit-length states of each text's own tokens, ``(tokens, dimensions)``, to fit a basis."""
        prefix = self._prompts["query" if as_queries else "document"]
        found = {
            read.index: unit(read.states[own])
            for batch in self._forward([PassageText(text) for text in texts], prefix, states=True)
            for read in batch
            for own in (read.own(),)
        }
        return [found[index] for index in range(len(texts))]

    def count_tokens(self, text: str) -> int:
        """See `Embedder.count_tokens`."""
        return len(self.tokenizer.encode(text, add_special_tokens=False))

    def tokenize(self, text: str) -> list[str]:
        """See `Embedder.tokenize`."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).tokens)

    def _with_sentences_alone(
        self, passages: Sequence[PassageText], vectors: list[PassageVectors]
    ) -> list[PassageVectors]:
        """Embed sentences separately, for models that pool one token for the whole text."""
        texts = [PassageText(span.of(p.text)) for p in passages for span in p.sentences]
        found: dict[int, FloatArray] = {}
        for batch in self._forward(texts, self._prompts["document"], states=False):
            found.update((read.index, read.vector) for read in batch)
        alone = iter([found[index] for index in range(len(texts))])
        return [
            PassageVectors(v.passage, _stack([next(alone) for _ in p.sentences], self.dimensions), v.tokens)
            for p, v in zip(passages, vectors, strict=True)
        ]

    def _vectors(self, read: _Read, sentences: Sequence[Span], *, late: bool) -> PassageVectors:
        """Return a passage's vectors; its sentences' too if they are pooled from its own states."""
        parts = np.empty((0, self.dimensions), np.float32)
        if late:
            parts = pool_spans(read.states, read.offsets, sentences, read.vector)
        if self.token_basis is None:
            return PassageVectors(read.vector, parts)
        own = read.own()
        codes = self.token_basis.encode(read.projected[own])
        return PassageVectors(read.vector, parts, PassageTokens.of(codes, read.offsets[own], sentences))

    def _forward(self, passages: Sequence[PassageText], prefix: str, *, states: bool) -> Iterator[list[_Read]]:
        """Yield the model's results for the texts, batch by batch, shortest first; with `states`, for their tokens too."""
        heads = [f"{prefix}{p.heading}\n" if p.heading else prefix for p in passages]
        encoded = self._encode([head + p.text for head, p in zip(heads, passages, strict=True)])
        tokens = [each.ids for each in encoded]
        for batch in _batches([len(ids) for ids in tokens]):
            ids, mask = self._pad([tokens[index] for index in batch])
            with self._lock:
                hidden = self._model.states(ids, mask)
            whole = unit(pool(hidden, mask, self._pooling))
            reads = []
            for row, index in enumerate(batch):
                own = hidden[row, : len(tokens[index]) if states else 0]
                offsets = np.asarray(encoded[index].offsets).reshape(-1, 2) - len(heads[index])
                projected = self.token_basis.project(unit(own)) if self.token_basis else own[:, :0]
                reads.append(_Read(index, whole[row], own, projected, offsets))
            yield reads

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Return the tokens of texts with special ones, at most `max_tokens`.

        Truncation is a state of the tokenizer, which other threads use for whole texts, so it is done here.
        """
        room = self.max_tokens - self.tokenizer.num_special_tokens_to_add(False)
        encoded = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        for each in encoded:
            each.truncate(room)
        return [self.tokenizer.post_process(each) for each in encoded]

    def _pad(self, rows: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        width = max(len(row) for row in rows)
        ids = np.full((len(rows), width), self._padding, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for number, row in enumerate(rows):
            # Causal models pool the last token, which must be where the mask ends.
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return ids, mask


@dataclass(frozen=True, slots=True)
class _Read:
    """The model's results for one text of a batch."""

    index: int
    vector: FloatArray
    states: FloatArray
    """``(tokens, dimensions)``, or none if they weren't requested."""
    projected: FloatArray
    """``(tokens, size)``: the states in the basis."""
    offsets: NDArray[np.int64]
    """``(tokens, 2)``: begin and end of each in the text, negative in the prefix."""

    def own(self) -> NDArray[np.bool_]:
        """Return which tokens lie in the text itself, ``(tokens,)``."""
        # A token may begin with the blank before its word: the first word's blank is in the prefix.
        own: NDArray[np.bool_] = (self.offsets[:, 1] > 0) & (self.offsets[:, 1] > self.offsets[:, 0])
        return own


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Return indexes in order of length, cut so that no batch has more than `BATCH_TOKENS` including padding."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _stack(vectors: list[FloatArray], dimensions: int) -> FloatArray:
    return np.stack(vectors) if vectors else np.empty((0, dimensions), np.float32)
