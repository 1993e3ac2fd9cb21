"""Check thresholds: what a run must reach to pass, as ``METRIC=VALUE`` or ``METRIC[SLICE]=VALUE``."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from math import isfinite

import regex

from assistant.types import Value
from evals.aggregate import Estimate
from evals.registry import METRICS, metric
from store.errors import RequestError

_NAME = regex.compile(r"(?P<metric>[^\[\]=]+?)(?:\[(?P<slice>[^\]]+)\])?")


class Gate(Value):
    """One threshold, and whether it was met."""

    metric: str
    slice: str
    wanted: float
    got: Estimate | None
    met: bool

    @property
    def name(self) -> str:
        """Its notation: ``hit@5[language:th]``."""
        return self.metric if self.slice == "all" else f"{self.metric}[{self.slice}]"

    @property
    def sentence(self) -> str:
        """A sentence with the wanted and the measured value."""
        known = metric(self.metric)
        at = "at most" if known is not None and known.better == "lower" else "at least"
        if self.got is None:
            return f"{self.name} must be {at} {self.wanted:g}, but no case measured it"
        return f"{self.name} must be {at} {self.wanted:g} and is {self.got.value:.4g}"


def parse(text: str) -> tuple[str, float]:
    """Split ``hit@5[language:th]=0.8`` in two. Raises RequestError."""
    name, equals, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not equals or not isfinite(number):
        raise RequestError(f"`{text}` is no threshold: write METRIC=VALUE, such as pass_rate=0.9.")
    check_name(name.strip())
    return name.strip(), number


def check_name(name: str) -> tuple[str, str]:
    """Return (metric, slice) of a threshold's name. Raises RequestError for an unknown metric."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise RequestError(f"`{name}` is no metric: write METRIC or METRIC[SLICE], such as hit@5[language:th].")
    found = match["metric"].strip()
    if metric(found) is None:
        close = get_close_matches(found, list(METRICS), n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(METRICS)}."
        raise RequestError(f"There is no metric `{found}`; {hint}")
    return found, match["slice"] or "all"


def gates(thresholds: Mapping[str, float], slices: Mapping[str, Mapping[str, Estimate]]) -> tuple[Gate, ...]:
    """Compare each threshold with the measured value. A threshold without a measured value is not met."""
    return tuple(_gate(name, wanted, slices) for name, wanted in thresholds.items())


def _gate(name: str, wanted: float, slices: Mapping[str, Mapping[str, Estimate]]) -> Gate:
    found, place = check_name(name)
    got = slices.get(place, {}).get(found)
    return Gate(
        metric=found, slice=place, wanted=wanted, got=got, met=got is not None and is_met(found, got.value, wanted)
    )


def is_met(name: str, value: float, wanted: float) -> bool:
    """Return whether `value` is on the right side of `wanted`, or equal except for rounding."""
    known = metric(name)
    slack = 1e-9 * max(1.0, abs(wanted))
    return value <= wanted + slack if known is not None and known.better == "lower" else value >= wanted - slack
