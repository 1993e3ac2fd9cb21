"""One file to be read, and what came of it: all that passes between the pipeline and a worker, here or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.parse import parse
from ingest.sidecar import Source
from store.errors import ReadError
from store.types import ParsedDocument


@dataclass(frozen=True, slots=True)
class FileTask:
    """A file that is new or has changed."""

    file: Path
    data: bytes
    uri: str
    source: Source
    original_sha256: str
    reading_version: int


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What came of a file: a document, or the reason why there is none."""

    file: Path
    parsed: ParsedDocument | None = None
    failure: ReadError | None = None
    signs: tuple[str, ...] = ()
    """Sentences on what looks made to mislead readers."""
    notices: tuple[str, ...] = ()
    """Sentences on what could not be read of it."""


ParseAll = Callable[[Iterable[FileTask]], Iterator[FileOutcome]]
"""Reads files, and yields what came of them in the same order."""


def parse_task(task: FileTask, count_tokens: Callable[[str], int], passage_tokens: int) -> FileOutcome:
    """Read, normalize and split one file. A reader that fails fails for this file alone."""
    signs: list[str] = []
    notices: list[str] = []
    try:
        parsed = parse(
            task.file,
            task.data,
            uri=task.uri,
            source=task.source,
            original_sha256=task.original_sha256,
            reading_version=task.reading_version,
            count_tokens=count_tokens,
            passage_tokens=passage_tokens,
            flag=signs.append,
            tell=notices.append,
        )
    except ReadError as error:
        return FileOutcome(task.file, failure=error)
    except (MemoryError, RecursionError, ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        return FileOutcome(task.file, failure=reader_failed(error))
    return FileOutcome(task.file, parsed, signs=tuple(signs), notices=tuple(notices))


def reader_failed(error: BaseException) -> ReadError:
    """Return the error of a file whose reader failed in a way that nobody foresaw."""
    return ReadError(
        "This file can't be read: its reader failed ({kind}).", code="reader_failed", kind=type(error).__name__
    )
