"""JSON and JSON Lines -> a line for each record, each value beside its name; long texts are paragraphs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ingest.blocks import Block, RawDocument
from ingest.encoding import decode
from ingest.limits import MAX_CELLS, MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader, too_deep
from ingest.readers.tables import DIVIDER
from store.errors import ReadError

_LONG = 200
"""Code points: a longer value is a paragraph of its own."""

_DEEPEST = 50


def read_json(data: bytes) -> RawDocument:
    """Return the records of a JSON or JSON Lines file. Raises ReadError where it is neither."""
    text = decode(data).text
    blocks: list[Block] = []
    for record in _records(text):
        blocks.extend(_blocks(record))
        if len(blocks) > MAX_CELLS:
            raise ReadError(
                "This file has more than {limit} records, which is the limit.",
                code="records_many",
                limit=f"{MAX_CELLS:,}",
            )
    return RawDocument(tuple(blocks), READER.media_types[0])


def _records(text: str) -> Iterator[object]:
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise too_deep(_DEEPEST) from error
    except ValueError as error:
        yield from _lines(text, error)
        return
    yield from content if isinstance(content, list) else (content,)


def _lines(text: str, error: ValueError) -> Iterator[object]:
    """Yield the records of JSON Lines; `error` says why the text as a whole is no JSON."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    for number, line in lines:
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as reason:
            is_first = number == lines[0][0]
            raise ReadError(
                "This file is no valid JSON: line {line} can't be read.",
                code="json_line",
                line=error.lineno if is_first and isinstance(error, json.JSONDecodeError) else number,
            ) from reason


def _blocks(record: object) -> Iterator[Block]:
    short: list[str] = []
    long: list[str] = []
    for name, value in _values(record, "", 0):
        if len(value) > _LONG or "\n" in value:
            long.append(value)
        else:
            short.append(f"{name}: {value}" if name else value)
    if short:
        yield Block(DIVIDER.join(short), "paragraph")
    yield from (Block(text) for text in long)


def _values(value: object, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the values in a record with their names; those of inner records are joined by a comma."""
    if depth > _DEEPEST:
        raise too_deep(_DEEPEST)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, f"{name}, {key}" if name else str(key), depth + 1)
    elif isinstance(value, list) and all(not isinstance(each, dict | list) for each in value):
        shown = [_shown(each) for each in value if each is not None]
        if shown:
            yield name, ", ".join(shown)
    elif isinstance(value, list):
        for each in value:
            yield from _values(each, name, depth + 1)
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
