"""Read JSON and JSON Lines: one line per record, each value next to its name; long texts are paragraphs.

Numbers stay as written: 1.10 doesn't become 1.1, and 1e3 doesn't become 1000.0. A list of lists is a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeGuard

from ingest.blocks import CELL_DIVIDER, Block, RawDocument
from ingest.encoding import decode
from ingest.limits import MAX_CELLS, MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader, too_deep
from ingest.readers.tables import Cell, sheet_blocks
from store.errors import ReadError

_LONG = 200
"""Code points: a longer value is its own paragraph."""

_DEEPEST = 50


def read_json(data: bytes) -> RawDocument:
    """Return the records of a JSON or JSON Lines file. Raises ReadError if it is neither."""
    text = decode(data).text
    records = list(_records(text))
    if len(records) > 1 and all(_is_row(record) for record in records):
        rows = [
            [Cell("" if each is None else _shown(each)) for each in row] for row in records if isinstance(row, list)
        ]
        return RawDocument(tuple(sheet_blocks(rows)), READER.media_types[0])
    blocks: list[Block] = []
    for record in records:
        blocks.extend(_blocks(record))
        if len(blocks) > MAX_CELLS:
            raise ReadError(
                "This file has more than {limit} records, which is the limit.",
                code="records_many",
                limit=f"{MAX_CELLS:,}",
            )
    return RawDocument(tuple(blocks), READER.media_types[0])


class _Object(list[tuple[str, object]]):
    """The names and values of an object, in order; a name may come twice."""


def _loaded(text: str) -> object:
    return json.loads(text, object_pairs_hook=_Object, parse_float=str, parse_int=str, parse_constant=str, strict=False)


def _records(text: str) -> Iterator[object]:
    try:
        content = _loaded(text)
    except RecursionError as error:
        raise too_deep(_DEEPEST) from error
    except ValueError as error:
        yield from _lines(text, error)
        return
    yield from content if _is_list(content) else (content,)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list) and not isinstance(value, _Object)


def _is_row(value: object) -> bool:
    """Return whether a record is a row of a table: several plain values."""
    return _is_list(value) and len(value) > 1 and not any(isinstance(each, list) for each in value)


def _lines(text: str, error: ValueError) -> Iterator[object]:
    """Yield the records of JSON Lines; `error` says why the whole text isn't JSON."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    for number, line in lines:
        try:
            yield _loaded(line)
        except (ValueError, RecursionError) as reason:
            is_first = number == lines[0][0]
            raise ReadError(
                "This file is no valid JSON: line {line} can't be read.",
                code="json_line",
                line=error.lineno if is_first and isinstance(error, json.JSONDecodeError) else number,
            ) from reason


def _blocks(record: object, name: str = "", depth: int = 0) -> Iterator[Block]:
    """Yield a record as a line, its long texts as paragraphs, and each record in its lists as a separate line."""
    short: list[str] = []
    long: list[str] = []
    listed: list[tuple[str, object]] = []
    for inner, value in _values(record, name, depth, listed):
        if len(value) > _LONG:
            long.append(value)
        else:
            shown = " ".join(value.split())
            short.append(f"{inner}: {shown}" if inner else shown)
    if short:
        yield Block(CELL_DIVIDER.join(short), "paragraph")
    yield from (Block(text) for text in long)
    for inner, each in listed:
        yield from _blocks(each, inner, depth + 1)


def _values(value: object, name: str, depth: int, listed: list[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    """Yield the values in a record with their names; those of inner records are joined by a comma.

    Records in lists are added to `listed`.
    """
    if depth > _DEEPEST:
        raise too_deep(_DEEPEST)
    if isinstance(value, _Object):
        for key, inner in value:
            yield from _values(inner, f"{name}, {key}" if name else key, depth + 1, listed)
    elif isinstance(value, list) and not any(isinstance(each, list) for each in value):
        shown = [_shown(each) for each in value if each is not None]
        if shown:
            yield name, ", ".join(shown)
    elif isinstance(value, list):
        listed.extend((name, each) for each in value)
    elif value is not None and (text := _shown(value)).strip():
        yield name, text


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


READER = Reader(
    name="JSON file",
    suffixes=(".json", ".jsonl", ".ndjson"),
    media_types=("application/json", "application/jsonl", "application/x-ndjson"),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_json,
    is_certain=False,
)
