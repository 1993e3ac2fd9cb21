"""Learn order, confidence and limits from readings: ``python -m evals.training.reader.decisions [--save]``.

Order: a choice among the sentences of the found passages (conditional logit). Confidence: a logistic model of whether
the library answers. Both are judged on texts that they weren't fitted to, with equal weight for each kind of library,
then fitted to all. The result is written to ``assistant/extractive_qa/models/NAME/decisions.json``.
"""

from __future__ import annotations

import json
import pickle
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from assistant.answer.confidence import features
from assistant.extractive_qa.candidates import Candidate
from assistant.extractive_qa.decisions import ANY, FILE, MODELS
from assistant.extractive_qa.network import load_reader
from evals.training.reader.asked import Observation, observe
from evals.training.reader.fitting import Array, Choice, area, calibration_error, cross_fitted, fit, fit_choice

READER, SEARCH, KEYWORDS = "with reader", "without reader", "any model"
"""What decides: the reader and the search, the search alone, or keywords alone, which mean the same for any model."""
REFUSED_RIGHT = 0.03
"""With a reader, the threshold refuses this share of the questions whose first quote is right. Refusing one with a
wrong quote is no loss, because the refusal shows the nearest sentence."""
REFUSED_ANSWERABLE = 0.032
"""Without a reader, which is less precise, the threshold refuses this share of all answerable questions."""
FURTHER, FURTHER_BY_SEARCH = 0.08, 0.05
"""How likely a further quote must be to contain the answer. It is less than half, because a quote about the same thing
without the exact words still helps to judge, and the first quote is sometimes wrong."""
HEADING = -0.1
"""What a heading loses, in the search's score. Not learned, because the texts to learn it from have no headings."""
WEIGHTS = ("retrieval", "margin", "heading", "name", "date")
RETRIEVAL = 8.0
"""How certain the search's scores alone make an order, similar to the fitted certainty with a reader."""


def is_right(observation: Observation, candidate: Candidate) -> bool:
    """Return whether a sentence contains the gold answer, in the right document if only one has it."""
    item = observation.item
    if item.uri is not None and candidate.hit.document.uri != item.uri:
        return False
    words = plain(candidate.words)
    return any(plain(answer) in words for answer in item.answers)


def plain(text: str) -> str:
    """Return `text` in one spelling for comparison."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def ranked(observation: Observation, weights: Array) -> list[Candidate]:
    """Return the sentences in the order of `weights` for retrieval, margin, heading, and missing names and dates."""
    scored = [replace(each, score=float(_values(each) @ weights)) for each in observation.read.ordered]
    return sorted(scored, key=lambda each: -each.score)


def learn(observations: Sequence[Observation], by: str) -> dict[str, Any]:
    """Return the numbers for `assistant.extractive_qa.decisions`, fitted to all observations."""
    reading = by == READER
    sizes = Counter(each.setting for each in observations)
    shares = {setting: (len(observations) / len(sizes) / size) ** 0.5 for setting, size in sizes.items()}
    weights = _order(observations, shares, reading=reading)
    names, values, truth, importance, _ = _rows(observations, weights, shares, by)
    model = fit(values, truth, importance)
    chances = np.where(_missing(observations), 0.0, model.probability(values))
    return {
        "ranking": dict(zip(WEIGHTS, (round(float(each), 4) for each in weights), strict=True)),
        "confidence": {
            "bias": round(model.bias, 4),
            "weights": {name: round(float(weight), 4) for name, weight in zip(names, model.weights, strict=True)},
            "threshold": round(_threshold(observations, weights, chances, reading=reading), 3),
        },
        "further": _further(observations, weights, reading=reading),
        "span_certainty": round(_span_certainty(observations, weights), 2) if reading else 1.0,
    }


def report(observations: Sequence[Observation], content: dict[str, Any], by: str) -> str:
    """Return a table of figures by setting and language; confidence by models that saw none of the text."""
    ranking = content["ranking"]
    weights = np.array([ranking[name] for name in WEIGHTS])
    sizes = Counter(each.setting for each in observations)
    shares = {setting: (len(observations) / len(sizes) / size) ** 0.5 for setting, size in sizes.items()}
    _, values, truth, importance, groups = _rows(observations, weights, shares, by)
    chances = np.where(_missing(observations), 0.0, cross_fitted(values, truth, groups, importance))
    threshold = content["confidence"]["threshold"]
    lines = [
        "| library, question | n | first | three | EM | F1 | AUROC | ECE | lost | refused |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    groups_of = sorted({(each.setting, each.item.language) for each in observations})
    for setting, language in groups_of:
        chosen = [n for n, each in enumerate(observations) if (each.setting, each.item.language) == (setting, language)]
        lines.append(_line(f"{setting}, {language}", observations, weights, chosen, truth, chances, threshold))
    return "\n".join(lines)


def _line(
    label: str,
    observations: Sequence[Observation],
    weights: Array,
    chosen: Sequence[int],
    truth: Array,
    chances: Array,
    threshold: float,
) -> str:
    answerable = [observations[n] for n in chosen if truth[n] > 0.5]
    first = three = 0
    exact, overlap = [], []
    for each in answerable:
        order = ranked(each, weights)[:3]
        right = [is_right(each, candidate) for candidate in order]
        first, three = first + right[0], three + any(right)
        said = span_text(order[0])
        exact.append(max(same_words(said, answer) for answer in each.item.answers))
        overlap.append(max(token_f1(said, answer) for answer in each.item.answers))
    some, known = chances[chosen], truth[chosen]
    both = 0 < known.sum() < len(known)
    count = len(answerable)
    figures: list[float] = [first / count, three / count, sum(exact) / count, sum(overlap) / count]
    figures += [area(known, some) if both else np.nan, calibration_error(known, some)]
    figures += [float((some[kind] < threshold).mean()) if kind.any() else np.nan for kind in (known > 0.5, known < 0.5)]
    return (
        f"| {label} | {len(chosen)} | " + " | ".join("" if np.isnan(each) else f"{each:.3f}" for each in figures) + " |"
    )


def span_text(candidate: Candidate) -> str:
    """Return the words that the reader marks as the answer in a sentence."""
    if candidate.reading is None:
        return ""
    start = candidate.hit.passage.start
    return candidate.hit.text[candidate.reading.span.start - start : candidate.reading.span.end - start]


def same_words(said: str, gold: str) -> float:
    """Return 1 if both are equal except for case, blanks and punctuation."""
    return float(_letters(said) == _letters(gold))


def token_f1(said: str, gold: str) -> float:
    """Return the harmonic mean of precision and recall over words; over letters in scripts without blanks."""
    one, other = Counter(_tokens(said)), Counter(_tokens(gold))
    common = sum((one & other).values())
    return 2 * common / (one.total() + other.total()) if common else 0.0


def _tokens(text: str) -> list[str]:
    spaced = "".join(f" {char} " if "฀" <= char <= "๿" or "一" <= char <= "鿿" else char for char in plain(text))
    return ["".join(filter(str.isalnum, word)) or word for word in spaced.split()]


def _letters(text: str) -> str:
    return "".join(char for char in plain(text) if unicodedata.category(char)[0] in "LNM")


def _values(each: Candidate) -> Array:
    lacks = each.lacks
    return np.array([each.sentence.score, each.margin, float(each.heading), lacks.names, lacks.dates], dtype=float)


def _order(observations: Sequence[Observation], shares: dict[str, float], *, reading: bool) -> Array:
    # The search's own scores are weighted with 1, or next to a model's margin.
    learned = [0, 1, 3, 4] if reading else [3, 4]
    choices = [
        Choice(
            np.stack([_values(each)[learned] for each in observation.read.ordered]),
            np.array([is_right(observation, each) for each in observation.read.ordered]),
            shares[observation.setting],
            np.zeros(len(observation.read.ordered))
            if reading
            else np.array([RETRIEVAL * each.sentence.score for each in observation.read.ordered]),
        )
        for observation in observations
        if observation.item.answers and observation.read.ordered
    ]
    if reading:
        retrieval, margin, name, date = fit_choice(choices, np.array([8.0, 0.5, -1.0, -1.0]))
        return np.array([retrieval, margin, HEADING * retrieval, name, date])
    name, date = fit_choice(choices, np.array([-1.0, -1.0])) / RETRIEVAL
    return np.array([1.0, 0.0, HEADING, name, date])


def _rows(
    observations: Sequence[Observation], weights: Array, shares: dict[str, float], by: str
) -> tuple[list[str], Array, Array, Array, Any]:
    """Return names and values of features, whether the library answers, importance, and groups."""
    rows = [features(each.found, replace(each.read, ordered=tuple(ranked(each, weights)))) for each in observations]
    names = [name for name in rows[0] if _goes_by(name, by)]
    values = np.array([[row[name] for name in names] for row in rows])
    truth = np.array([float(bool(each.item.answers)) for each in observations])
    importance = np.array([shares[each.setting] for each in observations])
    return names, values, truth, importance, np.array([each.group for each in observations])


def _goes_by(name: str, by: str) -> bool:
    if by == READER:
        return True
    if by == SEARCH:
        return not ("margin" in name or "certainty" in name)
    return name.endswith("keyword") or name in {"same", "bound"}


def _missing(observations: Sequence[Observation]) -> Any:  # noqa: ANN401 - a boolean array
    return np.array([bool(each.read.missing) for each in observations])


def _threshold(observations: Sequence[Observation], weights: Array, chances: Array, *, reading: bool) -> float:
    """Return the threshold that refuses as many questions as allowed, as a mean over kinds of libraries."""
    counted: dict[str, list[float]] = defaultdict(list)
    for each, chance in zip(observations, chances, strict=True):
        right = bool(each.read.ordered) and is_right(each, ranked(each, weights)[0])
        if each.item.answers and (right or not reading):
            counted[each.setting].append(float(chance))
    places = np.linspace(0.05, 0.95, 901)
    lost = np.array([np.mean([(np.array(some) < place).mean() for some in counted.values()]) for place in places])
    return float(places[np.flatnonzero(lost <= (REFUSED_RIGHT if reading else REFUSED_ANSWERABLE))[-1]])


def _further(observations: Sequence[Observation], weights: Array, *, reading: bool) -> dict[str, Any]:
    """Return how likely a later sentence contains the answer too; see `assistant.extractive_qa.decisions.Decisions`."""
    values, right = [], []
    for each in observations:
        if each.item.answers and each.read.ordered:
            order = ranked(each, weights)[:5]
            sure = order[0].reading.certainty if order[0].reading else 0.0
            values += [[candidate.margin, order[0].score - candidate.score, sure] for candidate in order[1:]]
            right += [float(is_right(each, candidate)) for candidate in order[1:]]
    model = fit(np.array(values), np.array(right))
    names = ("margin", "gap", "certainty")
    return {
        "bias": round(model.bias, 4),
        "weights": {name: round(float(each), 4) for name, each in zip(names, model.weights, strict=True)},
        "threshold": FURTHER if reading else FURTHER_BY_SEARCH,
    }


def _span_certainty(observations: Sequence[Observation], weights: Array) -> float:
    """Return the agreement above which a span is more likely right than wrong."""
    certain, right = [], []
    for each in observations:
        best = ranked(each, weights)[0] if each.read.ordered else None
        if best is not None and best.reading is not None:
            certain.append(best.reading.agreement)
            overlap = max((token_f1(span_text(best), answer) for answer in each.item.answers), default=0.0)
            right.append(overlap >= 0.5 and is_right(each, best))
    model = fit(np.array(certain)[:, None], np.array(right, dtype=np.float64))
    return float(np.clip(-model.bias / model.weights[0], 0.05, 0.9))


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), default=Path("../shared/data"))
@click.option("--step", type=click.IntRange(min=1), default=1, help="Ask every N-th question only.")
@click.option("--observations", type=click.Path(path_type=Path), help="Keep what was observed here, or go on from it.")
@click.option("--save", is_flag=True, help="Write the numbers.")
def main(data: Path, step: int, observations: Path | None, save: bool) -> None:
    """Learn order, confidence and limits from readings."""
    from store.embedding.weights import load_embedder

    embedder = load_embedder()
    if observations is not None and observations.is_file():
        seen = pickle.loads(observations.read_bytes())  # noqa: S301 - our own file
    else:
        seen = list(observe(data, embedder, load_reader(embedder), step))
        if observations is not None:
            observations.write_bytes(pickle.dumps(seen))
    content: dict[str, dict[str, Any]] = {}
    for by in (READER, SEARCH, KEYWORDS):
        content[by] = learn(seen, by)
        click.echo(f"{by}\n{report(seen, content[by], by)}\n{content[by]['ranking']}")
        click.echo({name: content[by][name] for name in ("further", "span_certainty")})
        click.echo(f"threshold {content[by]['confidence']['threshold']}\n")
    if save:
        _write(embedder.name, {name: content[name] for name in (READER, SEARCH)})
        _write(ANY, dict.fromkeys((READER, SEARCH), content[KEYWORDS]))


def _write(model: str, content: dict[str, Any]) -> None:
    path = MODELS / model / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    click.echo(f"written to {path}")


if __name__ == "__main__":
    main()
