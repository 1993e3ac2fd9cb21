"""Hold lists of words that rules need: one file per list, one word per line."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


@cache
def words(name: str) -> frozenset[str]:
    """Return the words of the list `name`, such as ``nobody``, unchanged."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line)


@cache
def abbreviations() -> frozenset[str]:
    """Return the abbreviations of all languages that end with a full stop, without it."""
    return frozenset().union(*(words(path.stem) for path in _FOLDER.glob("abbreviations.*.txt")))
