"""Rerank with a cross-encoder that reads question and passage together. Off unless a setting names a model.

It is slow (each passage goes through the model with each question), and many models are good in few languages only.
It reorders the hits of `search`, and raises their sentences with them.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from store.errors import ModelError
from store.extras import missing_torch
from store.types import Hit, SearchResult

CANDIDATES = 20
"""Passages to read: on a CPU, a small cross-encoder reads some ten per second."""
SENTENCE = 0.25
"""How much the probability of its passage adds to a sentence's own score."""
MAX_TOKENS = 512
BATCH = 8


class Reranker(Protocol):
    """Estimates how well passages answer a question. Implementations are safe to call from several threads."""

    @property
    def name(self) -> str:
        """The name to show to users."""

    def probabilities(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return for each text, in [0, 1], how likely it answers `query`."""


class CrossEncoder:
    """A Hugging Face sequence classifier with one label, as rerankers are published."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.name = name or folder.name
        self._lock = threading.Lock()
        self._model, self._tokenizer = _load(folder, self.name)

    def probabilities(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the logistic function of the model's single score."""
        import torch

        scores: list[float] = []
        for start in range(0, len(texts), BATCH):
            some = list(texts[start : start + BATCH])
            # truncation is a state of the tokenizer, so this needs the lock too
            with self._lock, torch.inference_mode():
                inputs = self._tokenizer(
                    [query[: MAX_TOKENS * 4]] * len(some),
                    some,
                    truncation=True,
                    max_length=min(MAX_TOKENS, self._model.config.max_position_embeddings - 2),
                    padding=True,
                    return_tensors="pt",
                )
                scores += self._model(**inputs).logits.float()[:, 0].tolist()
        return [1 / (1 + math.exp(-max(-60.0, min(60.0, score)))) for score in scores]


def rerank(found: SearchResult, reranker: Reranker, k: int) -> SearchResult:
    """Return the `k` best hits by the reranker's probability, which becomes their score; ties keep their order."""
    began = time.perf_counter()
    chances = reranker.probabilities(found.query, [hit.text for hit in found.hits])
    order = sorted(range(len(chances)), key=lambda at: -chances[at])[:k]
    hits = tuple(_raised(found.hits[at], rank, chances[at]) for rank, at in enumerate(order, start=1))
    timings = found.timings_ms | {"rerank": (time.perf_counter() - began) * 1000}
    return replace(found, hits=hits, timings_ms=timings)


def load_reranker(model: str) -> CrossEncoder:
    """Load the cross-encoder `model`: a folder, or a name on the Hugging Face Hub.

    Raises ModelError if it is missing or isn't a reranker.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return CrossEncoder(folder.resolve())
    return CrossEncoder(_download(model), model.rpartition("/")[2])


def _raised(hit: Hit, rank: int, chance: float) -> Hit:
    sentences = tuple(replace(each, score=each.score + SENTENCE * chance) for each in hit.sentences)
    return replace(hit, rank=rank, score=chance, sentences=sentences)


def _load(folder: Path, name: str) -> tuple[Any, Any]:
    missing = missing_torch(f"The reranker {name}")
    if missing:
        raise ModelError(missing)
    import transformers
    from safetensors import SafetensorError

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"The reranker {name} can't be loaded from {folder}: it needs config.json, tokenizer.json and "
            f"model.safetensors as Hugging Face models have them ({type(error).__name__})."
        ) from error
    if model.config.num_labels != 1:
        raise ModelError(
            f"The model {name} has {model.config.num_labels} labels, and a reranker has one: name a cross-encoder "
            "that was trained to rank, or leave the setting `reranker` empty."
        )
    return model.float().eval(), tokenizer


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt"]))
    except Exception as error:  # the Hub's errors share no base class
        raise ModelError(
            f"The reranker {name!r} is neither a folder here nor available from the Hugging Face Hub "
            f"({type(error).__name__}): name a model folder, or leave the setting `reranker` empty."
        ) from error
