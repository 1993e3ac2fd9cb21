"""Read Rich Text (.rtf): paragraphs and rows of tables, without what is struck, hidden or deleted.

striprtf extracts the text. It doesn't know struck and raised text, which is removed or marked before, nor the cells of
tables: where each ends on the page, and which are merged with the one next to or above them, is read separately.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from ingest.blocks import Block, RawDocument
from ingest.limits import MAX_NESTING, MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader, something_else, too_deep
from ingest.readers.tables import Cell, table_blocks
from ingest.scripts import lowered, raised
from store.errors import ReadError

_TOKEN = regex.compile(r"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'[0-9a-fA-F]{2}|\\[^a-zA-Z]|[{}]|[\r\n]+|[^\\{}\r\n]+")
_RAISED, _LOWERED, _LEVEL = "\x1c", "\x1d", "\x1e"
_SHIFTED = regex.compile(f"[{_RAISED}{_LOWERED}][^{_RAISED}{_LOWERED}{_LEVEL}\n|]*{_LEVEL}?")
_OFF = frozenset(("strike", "striked", "v", "deleted"))
_INFO = regex.compile(r"\{\\(title|author)\s([^{}]{0,2000})\}")
_MERGED = {"clmgf": "first", "clmrg": "beside", "clvmgf": "first", "clvmrg": "above"}
_SAME_EDGE = 30
"""Twips between the edges of two cells that end at the same position."""


@dataclass(frozen=True, slots=True)
class _State:
    """The formatting of a group's text."""

    off: frozenset[str] = frozenset()
    shift: str = ""


def read_rtf(data: bytes) -> RawDocument:
    """Return the text of a Rich Text file. Raises ReadError if it isn't one."""
    if not data.lstrip().startswith(b"{\\rtf"):
        raise something_else(".rtf")
    source = data.decode("latin-1")
    shapes: list[Shape] = []
    text = _plain("".join(_prepared(source, shapes)))
    info = {
        match[1]: _plain(f"{{\\rtf1{_code_page(source)} {match[2]}}}") for match in _INFO.finditer(source[:100_000])
    }
    return RawDocument(
        tuple(_blocks(text, shapes)),
        READER.media_types[0],
        title=info.get("title", "").strip() or None,
        author=info.get("author", "").strip() or None,
    )


def _plain(source: str) -> str:
    from striprtf.striprtf import rtf_to_text

    try:
        text = str(rtf_to_text(source, errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, LookupError, TypeError, OverflowError) as error:
        raise ReadError(
            "This Rich Text file is damaged: its text can't be read. Use an undamaged copy.", code="rtf_damaged"
        ) from error
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _code_page(source: str) -> str:
    match = regex.search(r"\\ansicpg\d{1,5}", source[:2_000])
    return match[0] if match else ""


def _prepared(source: str, shapes: list[Shape]) -> Iterator[str]:
    """Yield the source without invisible text, with marks around raised or lowered text.

    A paragraph that ends inside a table's row becomes a blank; a footnote becomes a mark, with its text after the
    paragraph, followed by the text of frames. The cells of each row are added to `shapes`.
    """
    states = [_State()]
    notes: list[list[str]] = []
    marks = 0
    written = 0  # notes already placed after their paragraph
    note_at = 0  # depth of the current note's group; 0 outside notes
    in_row = False
    shape = ShapeReader(shapes)
    for match in _TOKEN.finditer(source):
        piece, word = match[0], match[1]
        shape.read(word, match[2])
        if word in ("footnote", "shptxt") and not note_at and not states[-1].off:
            marks += word == "footnote"
            notes.append([f"[{marks}] "] if word == "footnote" else [""])
            note_at = len(states)
            # Keep the note's group as one that striprtf ignores.
            yield f"\\*\\{word} "
            continue
        for kept in _kept(piece, word, match[2], states, in_row=in_row):
            if note_at:
                notes[-1].append(kept)
            elif word == "par" and not in_row and written < len(notes):
                yield kept
                yield from (f"{{{''.join(note)}}}\\par " for note in notes[written:])
                written = len(notes)
            else:
                yield kept
        if word == "trowd":
            in_row = True
        elif word == "row":
            in_row = False
        if note_at and len(states) < note_at:
            notes[-1].pop()  # the brace that ends it
            note_at = 0
            yield f"}}{{ [{marks}]}}" if notes[-1][0] else "}"


def _kept(piece: str, word: str | None, argument: str | None, states: list[_State], *, in_row: bool) -> Iterator[str]:
    """Yield what remains of one token, and update `states` for the text after it."""
    if piece == "{":
        if len(states) > MAX_NESTING:
            raise too_deep(MAX_NESTING)
        states.append(states[-1])
        yield "\n{"  # Line ends mean nothing here; they limit what striprtf's patterns search.
    elif piece == "}":
        if len(states) > 1 and states.pop().shift != states[-1].shift:
            yield _LEVEL
        yield "}"
    elif word is not None:
        before = states[-1]
        states[-1] = _next_state(before, word, argument)
        if states[-1].shift != before.shift:
            yield states[-1].shift or _LEVEL
        if word == "par" and in_row:
            yield "{ }"
        elif word == "pntext":
            yield "\\listtext "  # The number of a list in older files, which striprtf only knows by its newer name.
        elif not (states[-1].off and word in ("u", "tab", "line", "cell")) or word == "cell":
            yield piece
    elif not states[-1].off or piece.isspace():
        yield piece


def _next_state(state: _State, word: str, argument: str | None) -> _State:
    if word == "plain":
        return _State()
    if word in _OFF or word == "striked1":
        name = word.rstrip("1")
        is_on = argument != "0"
        return replace(state, off=state.off | {name} if is_on else state.off - {name})
    if word in ("up", "dn"):
        return replace(state, shift=(_RAISED if word == "up" else _LOWERED) if argument not in ("0", None) else "")
    if word in ("super", "sub", "nosupersub"):
        is_on = word != "nosupersub" and argument != "0"
        return replace(state, shift=(_RAISED if word == "super" else _LOWERED) if is_on else "")
    return state


def _blocks(text: str, shapes: Sequence[Shape]) -> Iterator[Block]:
    rows: list[list[str]] = []
    waiting = iter(shapes)
    own: list[Shape] = []
    for source in text.split("\n"):
        line = _SHIFTED.sub(_shift, source).replace(_LEVEL, "")
        if line.rstrip().endswith("|"):
            rows.append(line.rstrip().removesuffix("|").split("|"))
            own.append(next(waiting, ()))
            continue
        if rows:
            yield from table_blocks(cells_in_shape(rows, own))
            rows, own = [], []
        if line.strip():
            yield Block(line, "paragraph")
    yield from table_blocks(cells_in_shape(rows, own))


def _shift(match: regex.Match[str]) -> str:
    words = match[0][1:].removesuffix(_LEVEL)
    return raised(words) if match[0].startswith(_RAISED) else lowered(words)


@dataclass(frozen=True, slots=True)
class ShapedCell:
    """The end of a cell, in twips from the left, and the cell that it continues: ``beside``, ``above`` or none."""

    end: int
    goes_on: str = ""


Shape = tuple[ShapedCell, ...]


class ShapeReader:
    """Collects the cells of each row while the words of a file are read."""

    def __init__(self, shapes: list[Shape]) -> None:
        self._shapes = shapes
        self._cells: list[ShapedCell] = []
        self._goes_on = ""

    def read(self, word: str | None, argument: str | None) -> None:
        """Process the next word of the file."""
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
    """Return the cells of a table's rows with their spans; a row whose shape doesn't fit has plain cells."""
    edges = _edges(shapes)
    found: list[list[Cell]] = []
    origins: dict[int, tuple[int, int]] = {}
    """By the starting column, the row of a cell and its index in it."""
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


READER = Reader(
    name="Rich Text file",
    suffixes=(".rtf",),
    media_types=("application/rtf", "text/rtf"),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_rtf,
    recognizes=lambda data: data.startswith(b"{\\rtf"),
)
