"""Run a small BERT encoder with onnxruntime: from token ids to the states of tokens, without torch.

Several encoders may share one table of word embeddings, which is most of a multilingual model: rows are looked up
outside the graph, in any format of the table.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from store.embedding import FloatArray
from store.embedding.encoder_weights import GRAPHS, HIDDEN, Precision, Weights, initializers
from store.processors import processors

WORDS = "embeddings.word_embeddings.weight"


class WordTable(Protocol):
    """Word embeddings ``(vocabulary, hidden)``: an array, or an object that gives rows like one."""

    def __getitem__(self, ids: NDArray[np.int64], /) -> NDArray[Any]:
        """Return the rows of these ids, ``(*ids.shape, hidden)``, in any float type."""


class Encoder:
    """Computes the states of tokens with a BERT of 12 layers and 384 dimensions. Safe to call from several threads."""

    def __init__(self, weights: Weights, words: WordTable | None = None, precision: Precision | None = None) -> None:
        """Load weights by their Hugging Face names in a `BertModel`; `words` replaces its word embeddings.

        The default `precision` is the processor's fastest.

        Raises:
            KeyError: a weight is missing.
            ValueError: a weight has another shape than the graph's.
        """
        import onnxruntime

        self.hidden = HIDDEN
        self.precision = precision or best_precision()
        self.words: WordTable = weights[WORDS] if words is None else words
        positions = np.asarray(weights["embeddings.position_embeddings.weight"], np.float32)
        self.max_tokens = len(positions)
        self._positions = positions + np.asarray(weights["embeddings.token_type_embeddings.weight"][0], np.float32)
        numbers = initializers(weights, self.precision)
        # The session reads some of them in place, so they must live as long.
        self._values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(value) for name, value in numbers.items()}
        options = onnxruntime.SessionOptions()
        options.add_external_initializers(list(self._values), list(self._values.values()))
        options.intra_op_num_threads = threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Its fused kernel of an addition and a normalization takes fifty times as long as the two.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        # Idle threads release the processor.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        graph = (GRAPHS / f"{self.precision}.onnx").read_bytes()
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # Its errors share no other root.
            raise ValueError(f"The weights don't fit the encoder: {error}") from error

    def states(self, ids: NDArray[np.int64], mask: NDArray[Any]) -> FloatArray:
        """Return the last layer's states ``(rows, tokens, hidden)`` of token ids ``(rows, tokens)``.

        `mask` is 1 for a row's tokens, which come first, and 0 for its padding, whose states are 0.

        Rows of the same length run together without padding. That is faster than any mask, and a row's states don't
        depend on its batch.
        """
        lengths = np.asarray(mask).astype(bool).sum(axis=1)
        states = np.zeros((*ids.shape, self.hidden), np.float32)
        for length in np.unique(lengths[lengths > 0]).tolist():
            rows = np.flatnonzero(lengths == length)
            states[rows, :length] = self._run(ids[rows, :length])
        return states

    def _run(self, ids: NDArray[np.int64]) -> FloatArray:
        embedded = self.words[ids].astype(np.float32) + self._positions[: ids.shape[1]]
        (states,) = self._session.run(None, {"embedded": embedded})
        found: FloatArray = states
        return found


def best_precision() -> Precision:
    """Return int8 if the processor multiplies it without loss (VNNI or AMX), otherwise float32.

    Plain AVX2 adds two 8-bit products in 16 bits, which overflow.
    """
    return "int8" if {"avx512_vnni", "avx_vnni", "amx_int8"} & processor_flags() else "float32"


def threads() -> int:
    """Return how many threads may compute: OMP_NUM_THREADS, or one per available processor."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    return processors()


def processor_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the processor's flags according to Linux; nothing on other systems."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return next((frozenset(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), frozenset())
