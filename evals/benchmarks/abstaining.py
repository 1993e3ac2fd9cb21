"""Whether Attest knows what it doesn't know: confidence where the article is there, and where it was left out.

Half of the articles are left out of a library (then the other half), all questions are asked. Each confidence is by a
model that was fitted on other articles (`evals.benchmarks.confidence`); the threshold is the one that ships.
Near-misses ask about the right event for a fact that isn't there: no weights were fitted on them, so theirs are by
what ships.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from assistant.answer.confidence import confidence, threshold
from assistant.answer.evidence import PASSAGES, candidates
from evals.benchmarks.confidence import Observation, cross_fitted, observe
from evals.benchmarks.figures import share, table
from evals.metrics.abstention import auroc, expected_calibration_error
from evals.metrics.statistics import wilson
from ingest.pipeline import ingest_samples
from store.embedding.embedder import Embedder
from store.library import Library

NEAR_MISSES = Path(__file__).parent / "data" / "near_misses.jsonl"
QUESTIONS = 632


def abstention_table(data: Path, embedder: Embedder, questions: int | None) -> tuple[str, object]:
    """The table in Markdown, and its rows for machines. With `questions`, about so many of each language."""
    step = max(1, QUESTIONS // questions) if questions else 1
    observations = list(observe(data, embedder, step))
    names = list(observations[0].values)
    values = np.array([[each.values[name] for name in names] for each in observations])
    truth = np.array([float(each.answerable) for each in observations])
    chances = cross_fitted(values, truth, np.array([each.article for each in observations]))
    rows = [
        _row(f"{setting} {language}".strip(), truth[chosen], chances[chosen])
        for setting, language in _groups(observations)
        if (chosen := np.array([(each.setting, each.language) == (setting, language) for each in observations])).any()
    ]
    near = list(near_misses(embedder))
    rows.append(_row("near-misses", np.array([label for _, label, _ in near]), np.array([sure for _, _, sure in near])))
    for language in sorted({language for language, _, _ in near}):
        some = [(label, sure) for tag, label, sure in near if tag == language]
        rows.append(_row(f"near-misses {language}", np.array([x for x, _ in some]), np.array([x for _, x in some])))
    header = ["setting", "n", "AUROC", "ECE", "answerable refused", "others refused"]
    title = f"Confidence, and what is refused below {threshold():.3f} (95 % Wilson intervals):\n\n"
    return title + table(header, rows), rows


def near_misses(embedder: Embedder) -> Iterator[tuple[str, float, float]]:
    """(language, 1 if the samples answer else 0, confidence) of each question of the suite."""
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder), embedder=embedder) as library:
        ingest_samples(library)
        for line in NEAR_MISSES.read_text(encoding="utf-8").splitlines():
            pair = json.loads(line)
            for question, label in ((pair["answerable"], 1.0), (pair["near_miss"], 0.0)):
                found = library.search(question, PASSAGES)
                yield pair["language"], label, confidence(found, candidates(found))


def _groups(observations: Sequence[Observation]) -> list[tuple[str, str]]:
    return sorted({(each.setting, each.language) for each in observations}, key=lambda pair: (pair[0] == "mixed", pair))


def _row(name: str, truth: np.ndarray, chances: np.ndarray) -> list[str]:
    refused = []
    for kind in (truth > 0.5, truth < 0.5):
        low = int((chances[kind] < threshold()).sum())
        interval = wilson(low, int(kind.sum()))
        refused.append(f"{share(low / int(kind.sum()))} [{share(interval.low)}, {share(interval.high)}]")
    figures = [share(auroc(chances, truth)), share(expected_calibration_error(chances, truth))]
    return [name, str(len(truth)), *figures, *refused]
