"""Read a window of text: find whether it answers a question, and with which words.

The embedding model's encoder, with a trained low-rank adapter, reads question and window together and gives two numbers
a token: for the first and for the last token of an answer. The first position of the input stands for "no answer"
(Devlin et al. 2019, arXiv:1810.04805, section 4.3). A sentence's margin is its best span's score less that of "no
answer"; above zero, the reader thinks that the sentence answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from assistant.extractive_qa.windows import Window
from store.types import Span

TOKENS = 192
"""Tokens of question and window together."""
QUESTION_TOKENS = 48
"""A longer question is cut, because it would leave no room for the window."""
SPAN_TOKENS = 40
"""Tokens of a short answer at most."""
BATCH_TOKENS = 1024
SECOND = 0.7
"""How far a second span's score may be below the best one's: half as likely."""

FloatArray = NDArray[np.float32]


class SpanScorer(Protocol):
    """A network that gives each token two scores, for beginning and for ending an answer."""

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray:
        """Return logits ``(rows, tokens, 2)`` for ids and mask ``(rows, tokens)``."""


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """The reader's result for one sentence of a window."""

    margin: float
    """The best span's score minus the window's "no answer"; above 0, the sentence answers."""
    span: Span
    """The best span, in the document's text."""
    certainty: float
    """The probability of this span among all possible results of the window, including "no answer", in [0, 1]."""
    agreement: float
    """The probability of this span together with all spans of its sentence that share most words with it: "300", "300
    people" and "more than 300" are one answer."""
    second: Span | None = None
    """Other words of the sentence that answer nearly as well, for a question with two parts; they don't overlap."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A question and a window as token ids."""

    ids: list[int]
    begin: int
    """First token of the window."""
    offsets: list[tuple[int, int]]
    """Offsets in the window's text of the tokens that are read."""


class Reader:
    """Reads windows of text for a question. Safe to use from several threads if its network is."""

    def __init__(self, network: SpanScorer, tokenizer: Tokenizer) -> None:
        self._network = network
        self._tokenizer = tokenizer
        # An empty text encodes to the tokens before and after every text.
        self._start, self._end = tokenizer.encode("").ids

    def read(self, question: str, windows: Sequence[Window]) -> list[tuple[SentenceReading | None, ...]]:
        """Return a reading for each sentence of each window; None for sentences beyond what is read."""
        asked = self._tokenizer.encode(question, add_special_tokens=False).ids[:QUESTION_TOKENS]
        texts = self._tokenizer.encode_batch([window.text for window in windows], add_special_tokens=False)
        rows = [self._row(asked, text.ids, text.offsets) for text in texts]
        found: dict[int, tuple[SentenceReading | None, ...]] = {}
        for batch in _batches([len(row.ids) for row in rows]):
            ids, mask = _padded([rows[number].ids for number in batch])
            for number, logits in zip(batch, self._network.logits(ids, mask), strict=True):
                found[number] = _sentences(windows[number], rows[number], logits)
        return [found[number] for number in range(len(rows))]

    def _row(self, asked: list[int], text: list[int], offsets: list[tuple[int, int]]) -> _Row:
        begin = len(asked) + 3
        room = TOKENS - begin - 1
        return _Row([self._start, *asked, self._end, self._end, *text[:room], self._end], begin, list(offsets[:room]))


def _sentences(window: Window, row: _Row, logits: FloatArray) -> tuple[SentenceReading | None, ...]:
    count = len(row.offsets)
    none = float(logits[0].sum())
    starts, ends = logits[row.begin : row.begin + count, 0], logits[row.begin : row.begin + count, 1]
    # Spans as a band above the diagonal: the row is the first token, the column the number of tokens after it.
    scores = np.full((count, SPAN_TOKENS), -np.inf, np.float32)
    for more in range(min(SPAN_TOKENS, count)):
        scores[: count - more, more] = starts[: count - more] + ends[more:]
    top = max(float(scores.max(initial=-np.inf)), none)
    total = float(np.exp(scores - top).sum() + np.exp(none - top))
    places = np.asarray(row.offsets).reshape(-1, 2)
    found: list[SentenceReading | None] = []
    for sentence in window.sentences:
        inside = np.flatnonzero((places[:, 1] > sentence.start) & (places[:, 0] < sentence.end))
        if not len(inside):
            found.append(None)
            continue
        first, last = int(inside[0]), int(inside[-1])
        block = scores[first : last + 1].copy()
        # A span ends in the sentence in which it begins: row r may reach token `last` at most.
        block[np.arange(SPAN_TOKENS)[None, :] > (last - np.arange(first, last + 1))[:, None]] = -np.inf
        at, more = (int(each) for each in np.unravel_index(int(block.argmax()), block.shape))
        best = float(block[at, more])
        span = _placed(window, sentence, places[first + at, 0], places[first + at + more, 1])
        second = _second(block, at, more)
        also = second and _placed(window, sentence, places[first + second[0], 0], places[first + sum(second), 1])
        shares = np.exp(block - top) / total
        agreeing = float(shares[_alike(block.shape, at, more)].sum())
        found.append(SentenceReading(best - none, span, float(shares[at, more]), agreeing, also))
    return tuple(found)


def _alike(shape: tuple[int, ...], at: int, more: int) -> NDArray[np.bool_]:
    """Return which spans of a block share at least half of their tokens with the one at `at` (F1, as in SQuAD)."""
    rows, columns = np.indices(shape)
    common = np.minimum(rows + columns, at + more) - np.maximum(rows, at) + 1
    alike: NDArray[np.bool_] = 2 * common >= 0.5 * (columns + 1 + more + 1)
    return alike


def _second(block: FloatArray, at: int, more: int) -> tuple[int, int] | None:
    """Return the first token and length of the best span that doesn't overlap the best one, if it is nearly as good."""
    rows, columns = np.indices(block.shape)
    apart = (rows > at + more) | (rows + columns < at)
    rest = np.where(apart, block, -np.inf)
    where = np.unravel_index(int(rest.argmax()), rest.shape)
    if rest[where] < block[at, more] - SECOND:
        return None
    return int(where[0]), int(where[1])


def _placed(window: Window, sentence: Span, begin: int, end: int) -> Span:
    """Return a span of the window's text as one of the document, within the sentence and without blanks around it."""
    span = _trimmed(window.text, max(int(begin), sentence.start), min(int(end), sentence.end))
    return Span(span.start + window.offset, span.end + window.offset)


def _trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without blanks and marks around it that belong to the sentence, not to the answer."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and (
        text[end - 1].isspace() or text[end - 1] in ",;:،、。" or _is_full_stop(text, start, end - 1)
    ):
        end -= 1
    return Span(start, end)


def _is_full_stop(text: str, start: int, place: int) -> bool:
    """Return whether a period ends the sentence, unlike those in "U.S." and "3.5"."""
    return text[place] == "." and "." not in text[start:place] and text[place + 1 : place + 2].strip() == ""


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return indexes in order of length, in batches of at most `BATCH_TOKENS` including padding."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[index] <= BATCH_TOKENS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _padded(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    width = max(len(row) for row in rows)
    ids = np.ones((len(rows), width), np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask
