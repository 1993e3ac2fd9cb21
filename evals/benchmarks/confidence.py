"""Fit the confidence of an answer, and say how well it is calibrated on questions that the fit didn't see.

    python -m evals.benchmarks.confidence [--data FOLDER] [--step N] [--save]

Half of the articles are left out of a library, and all questions are asked: those on articles that are there count as
answerable. Within a language and in a library that holds each paragraph in one language only, with each half of the
articles in turn. Then every third question again, with half of each article's paragraphs left out: what is there is
on the question's very subject, and doesn't answer it. Figures are from models that were fitted on other articles (eight
folds); `--save` then fits one on all articles and writes it to `assistant/answer/confidence.json`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from assistant.answer.confidence import WEIGHTS, features
from assistant.answer.evidence import PASSAGES, candidates
from evals.benchmarks.questions import Asked, Paragraph, RememberingEmbedder, fill, read_thai_qa, read_xquad, rotated
from store.embedding.embedder import Embedder
from store.library import Library

FOLDS = 8
PENALTY = 0.2
"""Ridge on the standardized weights: enough to keep features that say the same from canceling each other."""
REFUSED_ANSWERABLE = 0.025
"""The threshold is where this share of answerable questions is refused: a reader sees at once that quotes don't answer,
but never sees what was kept back."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observation:
    """One question with its features, and whether the library held its article."""

    setting: str
    language: str
    article: int
    answerable: bool
    values: dict[str, float]


def observe(data: Path, embedder: Embedder, step: int) -> Iterator[Observation]:
    """Ask everything; `step` 2 asks every second question."""
    parallel = read_xquad(data / "xquad-dev")
    thai = read_thai_qa(data / "thai-qa" / "valid.jsonl")
    for half in (0, 1):
        for part, every in ((by_article, step), (by_paragraph, 3 * step)):
            known = "" if part is by_article else ", subject known"
            for collection in parallel.values():
                some = collection.questions[::every]
                yield from _ask(f"within{known}", collection.paragraphs, some, part, half, embedder)
            for rotation in range(len(parallel)):
                questions = [
                    question
                    for collection in parallel.values()
                    for question in collection.questions[rotation :: every * len(parallel)]
                ]
                yield from _ask(f"mixed{known}", rotated(parallel, rotation), questions, part, half, embedder)
        yield from _ask("native", thai.paragraphs, thai.questions[::step], by_article, half, embedder)


def by_article(paragraph: Paragraph) -> int:
    """Its half, if articles are left out whole."""
    return paragraph.article % 2


def by_paragraph(paragraph: Paragraph) -> int:
    """Its half, if half of each article is left out."""
    return paragraph.number % 2


def _ask(
    setting: str,
    paragraphs: Sequence[Paragraph],
    questions: Iterable[Asked],
    part: Callable[[Paragraph], int],
    half: int,
    embedder: Embedder,
) -> Iterator[Observation]:
    by_number = {paragraph.number: paragraph for paragraph in paragraphs}
    # Articles of two collections are never the same one.
    offset = 1000 if setting == "native" else 0
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder), embedder=embedder) as library:
        fill(library, [paragraph for paragraph in paragraphs if part(paragraph) == half])
        for question in questions:
            found = library.search(question.text, PASSAGES)
            paragraph = by_number[question.paragraph]
            values = features(found, candidates(found))
            yield Observation(setting, question.language, paragraph.article + offset, part(paragraph) == half, values)


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model in the features' own units."""

    weights: Array
    bias: float

    def probability(self, values: Array) -> Array:
        """Of each row being answerable."""
        return 1 / (1 + np.exp(-(values @ self.weights + self.bias)))


def fit(values: Array, answerable: Array) -> Logistic:
    """Ridge logistic regression by Newton's method, on standardized features (Hastie et al. 2009, 4.4.1)."""
    center, scale = values.mean(axis=0), values.std(axis=0) + 1e-9
    rows = np.column_stack([(values - center) / scale, np.ones(len(values))])
    penalty = np.diag([PENALTY] * values.shape[1] + [0.0])
    weights = np.zeros(rows.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (chance - answerable) + penalty @ weights
        curvature = (rows * (chance * (1 - chance))[:, None]).T @ rows + penalty
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return Logistic(weights[:-1] / scale, float(weights[-1] - (weights[:-1] * center / scale).sum()))


def cross_fitted(values: Array, answerable: Array, articles: NDArray[np.int64]) -> Array:
    """Each row's probability by a model that saw none of its article."""
    chances = np.empty(len(values))
    for fold in range(FOLDS):
        held = articles % FOLDS == fold
        chances[held] = fit(values[~held], answerable[~held]).probability(values[held])
    return chances


def area(answerable: Array, chances: Array) -> float:
    """AUROC: the chance that an answerable question scores above another one, ties counted half."""
    positive, others = chances[answerable > 0.5], np.sort(chances[answerable < 0.5])
    below = np.searchsorted(others, positive, side="left") + np.searchsorted(others, positive, side="right")
    return float(below.mean() / 2 / len(others))


def calibration_error(answerable: Array, chances: Array, bins: int = 10) -> float:
    """ECE: the mean gap between confidence and truth over bins of equal width, weighted by their size."""
    places = np.clip((chances * bins).astype(int), 0, bins - 1)
    return float(
        sum(
            abs(answerable[places == place].mean() - chances[places == place].mean()) * (places == place).mean()
            for place in np.unique(places)
        )
    )


def report(observations: Sequence[Observation], answerable: Array, chances: Array, threshold: float) -> str:
    """A table of the figures by setting and language of the question."""
    lines = [
        "| setting | n | AUROC | ECE | answerable refused | others refused |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    groups = sorted({(each.setting, each.language) for each in observations})
    for setting, language in [*groups, ("all", "all")]:
        chosen = np.array(
            [(each.setting, each.language) == (setting, language) or setting == "all" for each in observations]
        )
        truth, chance = answerable[chosen], chances[chosen]
        refused = [f"{(chance[kind] < threshold).mean():.3f}" for kind in (truth > 0.5, truth < 0.5)]
        figures = [f"{area(truth, chance):.3f}", f"{calibration_error(truth, chance):.3f}", *refused]
        lines.append(f"| {setting} {language} | {chosen.sum()} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _fitted(names: Sequence[str], values: Array, answerable: Array) -> dict[str, float]:
    model = fit(values, answerable)
    weights = zip(names, model.weights, strict=True)
    return {"bias": round(model.bias, 4)} | {name: round(float(weight), 4) for name, weight in weights}


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), default=Path("../shared/data"))
@click.option("--step", type=click.IntRange(min=1), default=1, help="Ask every N-th question only.")
@click.option("--save", is_flag=True, help="Write the weights to assistant/confidence.json.")
def main(data: Path, step: int, save: bool) -> None:
    """Fit the confidence of an answer, and say how well it is calibrated."""
    from store.embedding.weights import load_embedder

    observations = list(observe(data, RememberingEmbedder(load_embedder()), step))
    names = list(observations[0].values)
    values = np.array([[each.values[name] for name in names] for each in observations])
    answerable = np.array([float(each.answerable) for each in observations])
    chances = cross_fitted(values, answerable, np.array([each.article for each in observations]))
    threshold = round(float(np.quantile(chances[answerable > 0.5], REFUSED_ANSWERABLE)), 3)
    click.echo(report(observations, answerable, chances, threshold))
    click.echo(f"threshold {threshold}")
    if save:
        bare = [name for name in names if "late" not in name]
        content = {
            "threshold": threshold,
            "with_tokens": _fitted(names, values, answerable),
            "without_tokens": _fitted(bare, values[:, [names.index(name) for name in bare]], answerable),
        }
        WEIGHTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        click.echo(f"written to {WEIGHTS}")


if __name__ == "__main__":
    main()
