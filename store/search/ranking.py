"""Hold the weights of the ranking: each embedding model has its own, in a JSON file next to its language means."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from store.embedding.centering import SHIPPED
from store.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Ranking:
    """The weights of the formulas in `store.search.scoring`; the defaults are for an unmeasured model.

    `evals.benchmarks.retrieval` measures them.
    """

    sentence: float = 0.6
    """S: how much the best sentence counts next to the whole passage, in [0, 1]."""
    keyword: float = 1.0
    """K: the value of all of the query's keyword weight, in cosine."""
    same_language: float = 0.0
    """L: how much higher cosines are within one language."""
    sentence_keyword: float = 0.5
    """W: K for sentences."""
    late: float = 0.75
    """T: the value of late interaction in cosine, for passages."""
    sentence_late: float = 0.9
    """E: T for sentences."""
    late_same_language: float = 0.0
    """M: how much higher late interaction is within one language."""
    title: float = 0.75
    """How much keywords in the title count relative to those of a passage, in [0, 1]."""
    phrase: float = 0.5
    """Added to the keyword share of a passage that contains the query's quoted phrases."""
    relative: bool = True
    """Whether keywords count by a passage's distance from the best in its language, not by its own share."""
    refined: bool = True
    """Whether the library's own statistics refine the shipped means."""


@lru_cache(maxsize=8)
def load_ranking(model_name: str, file: Path | None = None) -> Ranking:
    """Return the weights in `file`, or those shipped for a model with this name, or the defaults.

    The file is a JSON object with fields of `Ranking`; missing ones have their defaults. Raises SettingsError.
    """
    path = file or SHIPPED / f"{model_name}.ranking.json"
    if file is None and not path.is_file():
        return Ranking()
    kinds: dict[str, type[float] | type[bool]] = {field.name: type(field.default) for field in fields(Ranking)}  # type: ignore[misc]
    try:
        weights = {name: kinds[name](value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except KeyError as error:
        raise SettingsError(f"The ranking {path} has no weight {error}; known are {', '.join(kinds)}.") from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SettingsError(f"The ranking {path} can't be read as a JSON object of weights: {error}.") from error
    return Ranking(**weights)  # type: ignore[arg-type] # each has the type of its field
