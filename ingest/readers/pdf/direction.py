"""Put the glyphs of a line into reading order, for scripts from right to left.

PDFium reverses such words only in part, depending on how a program drew them. Here the order comes from the positions
of the glyphs: numbers and Latin words inside a line from right to left keep their own order.
"""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import replace

import regex

from ingest.readers.pdf.glyphs import Glyph

RIGHT_TO_LEFT = regex.compile(r"(?![\u0660-\u066c\u06f0-\u06f9])[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}]")
"""Letters; digits and the signs inside numbers are written from left to right."""

_LEFT_TO_RIGHT = regex.compile(r"[\p{L}\p{Nd}]")
_MARK = regex.compile(r"^\p{M}+$")
_TURNED = regex.compile(r"^[اأإآ]\p{M}*ل\p{M}*$")
_WITHIN_NUMBER = regex.compile(r"^[.,:/٫٬%-]$")


def logical_order(glyphs: list[Glyph], blanks: list[bool]) -> tuple[list[Glyph], list[bool]]:
    """Return glyphs and the blanks before them in reading order; unchanged without a letter from right to left."""
    letters = [glyph for glyph in glyphs if RIGHT_TO_LEFT.search(glyph.text)]
    if not letters:
        return glyphs, blanks
    clusters = _clusters(glyphs)
    spaced = {id(glyph) for glyph, blank in zip(glyphs, blanks, strict=True) if blank}
    gaps = _gaps(clusters, spaced, glyphs)
    is_backward = 2 * len(letters) >= sum(1 for glyph in glyphs if _LEFT_TO_RIGHT.search(glyph.text))
    runs = _reading_order([_direction(cluster) for cluster in clusters], clusters, is_backward)
    ordered: list[Glyph] = []
    before: list[bool] = []
    last: list[int] = []
    for run in runs:
        # Where the direction changes, the adjacent edges of the two runs show whether there is a blank between them.
        edges = (min(last), max(run)) if last and is_backward else (max(last, default=-1), min(run))
        for place, number in enumerate(run):
            blank = frozenset((run[place - 1], number) if place else edges) in gaps
            for glyph in clusters[number]:
                ordered.append(_in_order(glyph))
                before.append(blank)
                blank = False
        last = run
    return ordered, before


def _clusters(glyphs: list[Glyph]) -> list[list[Glyph]]:
    """Return letters with their marks, from left to right on the page."""
    bases = [glyph for glyph in glyphs if not _MARK.match(glyph.text)] or glyphs
    marks: dict[int, list[Glyph]] = {}
    for glyph in glyphs:
        if bases is not glyphs and _MARK.match(glyph.text):
            middle = (glyph.left + glyph.right) / 2
            near = min(bases, key=lambda base: (abs((base.left + base.right) / 2 - middle), base.left))
            marks.setdefault(id(near), []).append(glyph)
    placed: dict[tuple[float, float], list[Glyph]] = {}
    for base in bases:  # Letters of one ligature share a position, and are in reading order already.
        placed.setdefault((round(base.left, 2), round(base.right, 2)), []).extend((base, *marks.get(id(base), ())))
    found = [placed[place] for place in sorted(placed, key=sum)]
    return [cluster[::-1] if _is_turned("".join(glyph.text for glyph in cluster)) else cluster for cluster in found]


def _is_turned(ligature: str) -> bool:
    """Return whether a ligature reads from its end: none begins with alef, so "ال" is lam with alef."""
    return _TURNED.match(ligature) is not None


def _in_order(glyph: Glyph) -> Glyph:
    return replace(glyph, text=glyph.text[::-1]) if _is_turned(glyph.text) else glyph


def _gaps(clusters: list[list[Glyph]], spaced: set[int], glyphs: list[Glyph]) -> set[frozenset[int]]:
    """Return the pairs of neighbors on the page with a blank between them."""
    number_of = {id(glyph): number for number, cluster in enumerate(clusters) for glyph in cluster}
    found: set[frozenset[int]] = set()
    for before, after in itertools.pairwise(glyphs):
        if id(after) in spaced:
            one, other = number_of[id(before)], number_of[id(after)]
            found.add(frozenset((one, other)))
    for number in range(len(clusters) - 1):
        left, right = clusters[number][0], clusters[number + 1][0]
        if right.left - max(glyph.right for glyph in clusters[number]) > 0.17 * max(left.size, right.size):
            found.add(frozenset((number, number + 1)))
    return found


def _direction(cluster: list[Glyph]) -> str:
    text = "".join(glyph.text for glyph in cluster)
    if RIGHT_TO_LEFT.search(text) and not all(unicodedata.category(character) == "Nd" for character in text):
        return "R"
    return "L" if _LEFT_TO_RIGHT.search(text) else "N"


def _reading_order(directions: list[str], clusters: list[list[Glyph]], is_backward: bool) -> list[list[int]]:
    """Return numbers of clusters in reading order, by runs of one direction, each in its own order."""
    resolved = directions[:]
    base = "R" if is_backward else "L"
    for number, direction in enumerate(directions):
        if direction == "N":
            sides = {_nearest(directions, number, -1, base), _nearest(directions, number, 1, base)}
            inside = sides == {"L"} and (base == "L" or _WITHIN_NUMBER.match(clusters[number][0].text) is not None)
            resolved[number] = "L" if inside or (base == "L" and sides != {"R"}) else "R"
    runs: list[list[int]] = []
    for number, direction in enumerate(resolved):
        if runs and resolved[runs[-1][-1]] == direction:
            runs[-1].append(number)
        else:
            runs.append([number])
    ordered = [run[::-1] if resolved[run[0]] == "R" else run for run in runs]
    return ordered[::-1] if is_backward else ordered


def _nearest(directions: list[str], number: int, step: int, base: str) -> str:
    number += step
    while 0 <= number < len(directions):
        if directions[number] != "N":
            return directions[number]
        number += step
    return base
