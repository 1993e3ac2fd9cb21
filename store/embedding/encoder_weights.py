"""Convert a BERT model's weights to those of the encoder's graph.

The graphs in `graphs/` have only operators. Every number comes from here when a model is loaded, so one graph runs any
weights of the same shape. `evals/training/encoder_graph.py` makes the graphs with the names that this module uses.

In int8 a weight matrix has one scale per output, and each token's input its own scale at run time. Some of a layer's
inputs are tens of times larger than the rest and would take the whole range of eight bits. So they are divided by a
factor, and their weights are multiplied by it (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438). Their largest values
were measured once, on texts in several languages, and ship next to the graphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

GRAPHS = Path(__file__).parent / "graphs"
LAYERS = 12
HIDDEN = 384
HEADS = 12
FEED_FORWARD = 1536
EPSILON = 1e-12

Precision = Literal["float32", "int8"]
Weights = Mapping[str, NDArray[Any]]
"""Weights by their Hugging Face names in a `BertModel`."""


def is_supported(config: Mapping[str, Any]) -> bool:
    """Return whether a Hugging Face `config.json` describes a model of the graphs' shape."""
    return config.get("position_embedding_type") in {None, "absolute"} and all(
        config.get(name) == value
        for name, value in {
            "model_type": "bert",
            "num_hidden_layers": LAYERS,
            "hidden_size": HIDDEN,
            "num_attention_heads": HEADS,
            "intermediate_size": FEED_FORWARD,
            "hidden_act": "gelu",
            "layer_norm_eps": EPSILON,
        }.items()
    )


def initializers(weights: Weights, precision: Precision) -> dict[str, NDArray[Any]]:
    """Return every number that the graph of this precision needs, by its name in the graph.

    Raises:
        KeyError: a weight is missing.
    """
    made = dict(_norm(weights, "embeddings.LayerNorm"))
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        attention = f"{prefix}attention."
        parts = [f"{attention}self.{part}" for part in ("query", "key", "value")]
        made[f"{attention}self.bias"] = np.concatenate([_float(weights[f"{part}.bias"]) for part in parts])
        dense = [f"{attention}output.dense", f"{prefix}intermediate.dense", f"{prefix}output.dense"]
        made.update({f"{name}.bias": _float(weights[f"{name}.bias"]) for name in dense})
        made.update(_norm(weights, f"{attention}output.LayerNorm"))
        made.update(_norm(weights, f"{prefix}output.LayerNorm"))
        if precision == "float32":
            for name in parts + dense:
                made[f"{name}.weight"] = np.ascontiguousarray(_float(weights[f"{name}.weight"]).T)
            continue
        made.update(_smoothed(weights, f"{attention}self", parts))
        made.update(_smoothed(weights, dense[1], [dense[1]]))
        for name in (dense[0], dense[2]):
            made.update(_int8(name, _float(weights[f"{name}.weight"])))
    return made


def _norm(weights: Weights, name: str) -> dict[str, NDArray[np.float32]]:
    return {f"{name}.{part}": _float(weights[f"{name}.{part}"]) for part in ("weight", "bias")}


def _smoothed(weights: Weights, site: str, names: list[str]) -> dict[str, NDArray[Any]]:
    """Return int8 weights of linear layers that read the same input, and the factors for that input."""
    matrices = [_float(weights[f"{name}.weight"]) for name in names]
    largest = np.maximum(np.abs(np.concatenate(matrices)).max(axis=0), 1e-5)
    factors = np.sqrt(np.maximum(_activations()[site], 1e-4) / largest)
    made: dict[str, NDArray[Any]] = {f"{site}.smoothing": (1 / factors).astype(np.float32)}
    for name, matrix in zip(names, matrices, strict=True):
        made.update(_int8(name, matrix * factors))
    return made


def _int8(name: str, matrix: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Return a matrix (outputs, inputs) as its transpose in int8 and the outputs' scales."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / 127
    rounded = np.rint(matrix / scales[:, None]).astype(np.int8)
    return {f"{name}.int8": np.ascontiguousarray(rounded.T), f"{name}.scales": scales.astype(np.float32)}


def _float(weight: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(weight, np.float32)


@cache
def _activations() -> dict[str, NDArray[np.float32]]:
    """Return the largest absolute value seen at each of a layer's inputs, ``(hidden,)``."""
    with np.load(GRAPHS / "activations.npz") as data:
        return {name: data[name].astype(np.float32) for name in data.files}
