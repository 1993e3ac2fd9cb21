"""Build the tables of `evals.benchmarks.retrieval`, from outcomes to Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from evals.benchmarks.figures import share, table
from evals.metrics.retrieval import hit, ndcg, reciprocal_rank
from evals.metrics.statistics import Interval, cluster_bootstrap_mean, paired_bootstrap

if TYPE_CHECKING:
    from evals.benchmarks.retrieval import Outcome

ATTEST = "Attest"
ALL_PARTS = "Attest, all parts"
STOCK = ("stock dense", "stock dense + BM25, RRF", "dense + subword BM25, RRF")
SETTINGS = ("within", "native", "mixed")


def _of_rank(measure: Callable[[Sequence[str]], float | None]) -> Callable[[Outcome], float]:
    """Return a measure of rankings as one of the rank of a single relevant document."""

    def score(outcome: Outcome) -> float:
        ranking = [] if outcome.rank is None else [*(["other"] * (outcome.rank - 1)), "gold"]
        return measure(ranking) or 0.0

    return score


GOLD = {"gold": 1}
MEASURES: dict[str, Callable[[Outcome], float]] = {
    "hit@1": _of_rank(lambda ranking: hit(ranking, GOLD, 1)),
    "hit@5": _of_rank(lambda ranking: hit(ranking, GOLD, 5)),
    "MRR": _of_rank(lambda ranking: reciprocal_rank(ranking, GOLD)),
    "nDCG@10": _of_rank(lambda ranking: ndcg(ranking, GOLD, 10)),
}


def comparison(outcomes: Sequence[Outcome]) -> str:
    """Return every system by setting and language."""
    rows = []
    for setting, language in groups(outcomes):
        for system in (*STOCK, ATTEST):
            chosen = of(outcomes, setting, language, system)
            if chosen:
                figures = [share(mean(map(measure, chosen))) for measure in MEASURES.values()]
                name = f"**{system}**" if system == ATTEST else system
                rows.append([f"{setting} {language}", name, str(len(chosen)), *figures])
    return table(["setting", "system", "n", *MEASURES], rows)


def differences(outcomes: Sequence[Outcome]) -> str:
    """Return Attest minus the best of the others by each measure, with a paired interval over paragraphs."""
    rows = []
    for setting, language in groups(outcomes):
        ours = sorted(of(outcomes, setting, language, ATTEST), key=_key)
        cells = []
        for measure in MEASURES.values():
            others = [sorted(of(outcomes, setting, language, system), key=_key) for system in STOCK]
            best = max(others, key=lambda other: mean(map(measure, other)))
            found = paired_bootstrap(
                [measure(each) for each in best],
                [measure(each) for each in ours],
                [each.paragraph for each in ours],
            )
            cells.append(f"{found.value:+.3f} {_interval(found.interval, signed=True)}")
        rows.append([f"{setting} {language}", *cells])
    title = "Attest minus the best of the three others by each measure (95 % interval, paragraphs resampled):\n\n"
    return title + table(["setting", *MEASURES], rows)


def evidence(outcomes: Sequence[Outcome]) -> str:
    """Return how often the sentences shown first contain the answer."""
    rows = []
    for setting, language in groups(outcomes):
        chosen = of(outcomes, setting, language, ATTEST)
        held = [float(bool(each.evidence)) for each in chosen]
        interval = cluster_bootstrap_mean(held, [each.paragraph for each in chosen])
        rows.append([f"{setting} {language}", str(len(held)), f"{share(mean(held))} {_interval(interval)}"])
    return table(["setting", "n", "a gold answer is in the first three sentences"], rows)


def ablations(outcomes: Sequence[Outcome]) -> str:
    """Return the result without each part of the ranking, on a third of the questions; all languages combined."""
    names = [name for name in dict.fromkeys(each.system for each in outcomes) if name not in (*STOCK, ATTEST)]
    languages = sorted({each.language for each in outcomes if each.setting == "within"})
    rows = []
    for name in names:
        cells = []
        for setting, measure in (("within", "hit@1"), ("mixed", "hit@1"), ("mixed", "hit@5")):
            for language in languages:
                chosen = of(outcomes, setting, language, name)
                cells.append(share(mean(map(MEASURES[measure], chosen))) if chosen else "")
        for setting in ("within", "mixed"):
            found = [each for each in outcomes if each.setting == setting and each.system == name]
            is_whole = {each.language for each in found} == set(languages)
            cells.append(share(mean(float(bool(each.evidence)) for each in found)) if is_whole else "")
        rows.append([f"**{name}**" if name == ALL_PARTS else name, *cells])
    header = [
        *(f"within {language} hit@1" for language in languages),
        *(f"mixed {language} {measure}" for measure in ("hit@1", "hit@5") for language in languages),
        "evidence within",
        "evidence mixed",
    ]
    return "One part of the ranking taken away at a time (every third question):\n\n" + table(
        ["ranking", *header], rows
    )


def groups(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    """Return settings with their languages, in the order of the tables."""
    found = {(each.setting, each.language) for each in outcomes}
    return sorted(found, key=lambda pair: (SETTINGS.index(pair[0]), pair[1]))


def of(outcomes: Iterable[Outcome], setting: str, language: str, system: str) -> list[Outcome]:
    """Return the outcomes of one cell."""
    return [each for each in outcomes if (each.setting, each.language, each.system) == (setting, language, system)]


def mean(values: Iterable[float]) -> float:
    """Return the mean of some numbers; 0 for none."""
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0


def _key(outcome: Outcome) -> tuple[str, str]:
    return outcome.question, outcome.setting


def _interval(interval: Interval | None, *, signed: bool = False) -> str:
    if interval is None:
        return ""
    low, high = (f"{bound:+.3f}" if signed else share(bound) for bound in interval)
    return f"[{low}, {high}]"
