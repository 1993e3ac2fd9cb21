"""Fit small models to a few thousand examples: logistic regression, and a choice among candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]
PENALTY = 0.2
"""Ridge on standardized weights: enough to keep correlated features from canceling each other."""
FOLDS = 8


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model in the features' own units."""

    weights: Array
    bias: float

    def probability(self, values: Array) -> Array:
        """Return each row's probability; `values` is ``(rows, features)``."""
        return 1 / (1 + np.exp(-(values @ self.weights + self.bias)))


def fit(values: Array, truth: Array, importance: Array | None = None) -> Logistic:
    """Return a ridge logistic regression by Newton's method on standardized features (Hastie et al. 2009, 4.4.1)."""
    share = np.ones(len(truth)) if importance is None else importance / importance.mean()
    center, scale = values.mean(axis=0), values.std(axis=0) + 1e-9
    rows = np.column_stack([(values - center) / scale, np.ones(len(values))])
    penalty = np.diag([PENALTY] * values.shape[1] + [0.0])
    weights = np.zeros(rows.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (share * (chance - truth)) + penalty @ weights
        curvature = (rows * (share * chance * (1 - chance))[:, None]).T @ rows + penalty
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return Logistic(weights[:-1] / scale, float(weights[-1] - (weights[:-1] * center / scale).sum()))


def cross_fitted(values: Array, truth: Array, groups: NDArray[np.int64], importance: Array) -> Array:
    """Return each row's probability by a model that saw none of its group."""
    chances = np.empty(len(values))
    for fold in range(FOLDS):
        held = groups % FOLDS == fold
        if held.any():
            chances[held] = fit(values[~held], truth[~held], importance[~held]).probability(values[held])
    return chances


@dataclass(frozen=True, slots=True)
class Choice:
    """One question's candidates, ``(candidates, features)``, and which of them are right."""

    values: Array
    right: NDArray[np.bool_]
    importance: float
    given: Array
    """``(candidates,)``: added to their scores, and not learned."""


def fit_choice(choices: Sequence[Choice], start: Array) -> Array:
    """Return the weights that make the right candidates of each question most likely (a conditional logit model)."""
    usable = [choice for choice in choices if choice.right.any()]

    def loss(weights: Array) -> float:
        total = 0.0
        for choice in usable:
            scores = choice.values @ weights + choice.given
            chances = np.exp(scores - scores.max())
            total -= choice.importance * np.log(chances[choice.right].sum() / chances.sum())
        return float(total / len(usable) + 0.001 * (weights**2).sum())

    found: Array = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 600}).x
    return found


def area(truth: Array, chances: Array) -> float:
    """Return AUROC: the probability that a true row scores above another one, with ties counted half."""
    positive, others = chances[truth > 0.5], np.sort(chances[truth < 0.5])
    below = np.searchsorted(others, positive, side="left") + np.searchsorted(others, positive, side="right")
    return float(below.mean() / 2 / len(others))


def calibration_error(truth: Array, chances: Array, bins: int = 10) -> float:
    """Return ECE: the mean gap between confidence and truth over bins of equal width, weighted by their size."""
    places = np.clip((chances * bins).astype(int), 0, bins - 1)
    return float(
        sum(
            abs(truth[places == place].mean() - chances[places == place].mean()) * (places == place).mean()
            for place in np.unique(places)
        )
    )
