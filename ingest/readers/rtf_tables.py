"""The cells of tables in Rich Text: where each ends on the page, and which are merged with the one beside or above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.readers.tables import Cell

_MERGED = {"clmgf": "first", "clmrg": "beside", "clvmgf": "first", "clvmrg": "above"}
_SAME_EDGE = 30
"""Twips between the edges of two cells that end at the same place."""


@dataclass(frozen=True, slots=True)
class ShapedCell:
    """Where a cell ends, in twips from the left, and the cell that it goes on: ``beside``, ``above`` or none."""

    end: int
    goes_on: str = ""


Shape = tuple[ShapedCell, ...]


class ShapeReader:
    """Collects the cells of each row while the words of a file go by."""

    def __init__(self, shapes: list[Shape]) -> None:
        self._shapes = shapes
        self._cells: list[ShapedCell] = []
        self._goes_on = ""

    def read(self, word: str | None, argument: str | None) -> None:
        """Take in the next word of the file."""
        if word == "trowd":
            self._cells, self._goes_on = [], ""
        elif word in _MERGED:
            self._goes_on = _MERGED[word].replace("first", "")
        elif word == "cellx":
            self._cells.append(ShapedCell(int(argument or 0), self._goes_on))
            self._goes_on = ""
        elif word == "row":
            self._shapes.append(tuple(self._cells))


def cells_in_shape(rows: Sequence[Sequence[str]], shapes: Sequence[Shape]) -> list[list[Cell]]:
    """Return the cells of a table's rows with what each spans; a row whose shape doesn't fit has plain cells."""
    edges = _edges(shapes)
    found: list[list[Cell]] = []
    origins: dict[int, tuple[int, int]] = {}
    """By the column in which it begins, the row of a cell and its place in it."""
    for texts, shape in zip(rows, shapes, strict=True):
        found.append([])
        if len(shape) != len(texts):
            found[-1] += (Cell(text) for text in texts)
            origins = {}
            continue
        column = 0
        for text, cell in zip(texts, shape, strict=True):
            columns = max(1, _column(edges, cell.end) + 1 - column)
            if cell.goes_on == "beside" and found[-1]:
                found[-1][-1] = replace(found[-1][-1], columns=found[-1][-1].columns + columns)
            elif cell.goes_on == "above" and column in origins:
                row, place = origins[column]
                found[row][place] = replace(found[row][place], rows=len(found) - row)
            else:
                origins[column] = (len(found) - 1, len(found[-1]))
                found[-1].append(Cell(text, columns=columns))
            column += columns
    return found


def _edges(shapes: Sequence[Shape]) -> list[int]:
    edges: list[int] = []
    for end in sorted(cell.end for shape in shapes for cell in shape):
        if not edges or end - edges[-1] > _SAME_EDGE:
            edges.append(end)
    return edges


def _column(edges: Sequence[int], end: int) -> int:
    return min(range(len(edges)), key=lambda number: abs(edges[number] - end))
