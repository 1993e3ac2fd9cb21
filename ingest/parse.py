"""Turn one file into one document: read and normalize it, detect its language, cut it into passages, find its title.

Only a `FileTask` and its `FileOutcome` pass between the pipeline and a worker, in this process or on Ray.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import regex

from ingest.blocks import CELL_DIVIDER, RawDocument
from ingest.chunk import SPLITTING_VERSION, chunk
from ingest.metadata import one_line, useful_name, useful_title
from ingest.normalize import NORMALIZATION_VERSION, Normalized, normalize
from ingest.read import READERS_VERSION, read_document
from ingest.sidecar import Source
from ingest.spoofing import signs
from store.errors import ReadError
from store.ids import document_id
from store.text.language import detect_language
from store.types import Document, ParsedDocument

PREPARATION_VERSION = (READERS_VERSION, NORMALIZATION_VERSION, SPLITTING_VERSION)
"""The versions of all code that turns bytes into passages."""

TITLE_LENGTH = 120
"""Code points of a title taken from the text; a longer line is shortened."""

_OPTION_BITS = 32


@dataclass(frozen=True, slots=True)
class FileTask:
    """A new or changed file."""

    file: Path
    data: bytes
    uri: str
    source: Source
    original_sha256: str
    reading_version: int


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """The result for a file: a document, or the reason for its absence."""

    file: Path
    parsed: ParsedDocument | None = None
    failure: ReadError | None = None
    signs: tuple[str, ...] = ()
    """Sentences about signs that it was made to mislead readers."""
    notices: tuple[str, ...] = ()
    """Sentences about parts that could not be read."""


ParseAll = Callable[[Iterable[FileTask]], Iterator[FileOutcome]]
"""Reads files, and yields the results in the same order."""


def first_current() -> int:
    """Return the least number of this version: documents with a lower one were read by an older version."""
    version = 0
    for part in PREPARATION_VERSION:
        version = version << 8 | part
    return version << _OPTION_BITS


@lru_cache(maxsize=1024)
def reading_version(source: Source, passage_tokens: int) -> int:
    """Return how a file becomes a document, as one number, for this version, a token budget and a file's `source`.

    It is stored with each document, so that a later run knows what to read again.
    """
    options = sha256(repr((passage_tokens, source)).encode()).digest()[: _OPTION_BITS // 8]
    return first_current() | int.from_bytes(options, "big")


def parse_task(task: FileTask, count_tokens: Callable[[str], int], passage_tokens: int) -> FileOutcome:
    """Read, normalize and split one file. If the reader fails, only this file fails."""
    try:
        return parse(task, count_tokens, passage_tokens)
    except ReadError as error:
        return FileOutcome(task.file, failure=error)
    except (MemoryError, RecursionError, ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        return FileOutcome(task.file, failure=reader_failed(error))


def reader_failed(error: BaseException) -> ReadError:
    """Return the error for a file whose reader failed unexpectedly."""
    return ReadError(
        "This file can't be read: its reader failed ({kind}).", code="reader_failed", kind=type(error).__name__
    )


def parse(task: FileTask, count_tokens: Callable[[str], int], passage_tokens: int) -> FileOutcome:
    """Return a file's document, in the library's form. Raises ReadError, with the reason.

    `sources.yaml` has precedence over what the file states itself.
    """
    source = task.source
    raw = read_document(task.file, task.data)
    normalized = normalize(raw.blocks)
    text = normalized.text
    if not regex.search(r"[\p{L}\p{N}\p{S}]", text):
        raise ReadError("This file has no words in it.", code="no_words")
    language = source.language or detect_language(text)
    passages = chunk(
        text,
        language,
        count_tokens=count_tokens,
        passage_tokens=passage_tokens,
        headings=None if normalized.headings is None else frozenset(span.start for span in normalized.headings),
    )
    title = one_line(source.title) or _title(raw, normalized, task.file)
    speaker = one_line(source.speaker) or useful_name(raw.author)
    found = signs(raw.blocks, title, speaker)
    document = Document(
        id=document_id(task.uri),
        uri=task.uri,
        title=title,
        language=language,
        original_sha256=task.original_sha256,
        text_sha256=sha256(text.encode()).hexdigest(),
        speaker=speaker,
        published=source.published or raw.published,
        media_type=raw.media_type,
        pages=normalized.pages,
        passage_count=len(passages),
        collection=source.collection or "",
        signs=(*(name for sign in found for name in sign.names), *page_signs(raw)),
    )
    return FileOutcome(
        task.file,
        ParsedDocument(document, text, passages, task.reading_version),
        signs=tuple(sign.sentence for sign in found),
        notices=page_notices(raw),
    )


def _title(raw: RawDocument, normalized: Normalized, file: Path) -> str:
    """Return the file's own title, or its running head, first heading or first line, or its name.

    A row of a table is no title: its cells say something about one thing only.
    """
    if own := useful_title(raw.title):
        return own
    first = normalized.headings[0].of(normalized.text) if normalized.headings else normalized.text.split("\n", 1)[0]
    head = useful_title(raw.running_head) if not normalized.headings else None
    line = "" if CELL_DIVIDER in first else one_line(first)
    return _shortened(head or line or "") or one_line(file.stem) or "Untitled"


def page_signs(raw: RawDocument) -> tuple[str, ...]:
    """Return a document's signs about pages without text: ``unread:2-3/4`` and ``recognized:5/9``."""
    named = (("unread", raw.pages_without_text), ("recognized", raw.recognized_pages))
    return tuple(f"{name}:{in_ranges(pages)}/{raw.page_count}" for name, pages in named if pages)


def in_ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers with ranges: ``2-4,7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def page_notices(raw: RawDocument) -> tuple[str, ...]:
    """Return sentences about the pages and parts of a file that could not be read."""
    found = list(raw.notices)
    if raw.pages_without_text:
        count, pages = len(raw.pages_without_text), in_ranges(raw.pages_without_text).replace(",", ", ")
        have = "has" if count == 1 else "have"
        found.append(
            f"{count} of {raw.page_count} pages {have} no text: {pages}. Install Tesseract to have pictures of text read."
        )
    if raw.recognized_pages:
        count, pages = len(raw.recognized_pages), in_ranges(raw.recognized_pages).replace(",", ", ")
        found.append(f"The text of {count} of {raw.page_count} pages was recognized from pictures: {pages}.")
    return tuple(found)


def _shortened(text: str) -> str:
    """Return `text`, or as many whole words of it as fit into `TITLE_LENGTH`."""
    if len(text) <= TITLE_LENGTH:
        return text
    head = text[: TITLE_LENGTH - 1]
    words = head.rsplit(" ", 1)[0] if " " in head[TITLE_LENGTH // 2 :] else _whole_graphemes(head)
    return f"{words.rstrip(' ,;:-–—')}…"


def _whole_graphemes(head: str) -> str:
    """Return `head` without its last grapheme, which may be incomplete."""
    starts = [match.start() for match in regex.finditer(r"\X", head)]
    return head[: starts[-1]]
