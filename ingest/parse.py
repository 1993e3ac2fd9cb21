"""One file -> one document: read, normalized, its language told, cut into passages, titled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import regex

from ingest.blocks import RawDocument
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
"""Of all that turns bytes into passages."""

TITLE_LENGTH = 120
"""Code points of a title that is taken from the text; a longer line is shortened."""


def parse(
    file: Path,
    data: bytes,
    *,
    uri: str,
    source: Source,
    original_sha256: str,
    reading_version: int,
    count_tokens: Callable[[str], int],
    passage_tokens: int,
    flag: Callable[[str], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> ParsedDocument:
    """Return the document of a file whose bytes are `data`, as a library takes it.

    What `source` says of it comes before what the file says of itself. `reading_version` is stored with it, to
    tell a later run whether it would do the same. `flag` is called with each sign that the file was made to
    mislead its readers, `tell` with each sentence about what could not be read of it. Raises ReadError, naming the
    reason.
    """
    raw = read_document(file, data)
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
    title = one_line(source.title) or _title(raw, normalized, file)
    speaker = one_line(source.speaker) or useful_name(raw.author)
    found = signs(raw.blocks, title, speaker)
    document = Document(
        id=document_id(uri),
        uri=uri,
        title=title,
        language=language,
        original_sha256=original_sha256,
        text_sha256=sha256(text.encode()).hexdigest(),
        speaker=speaker,
        published=source.published or raw.published,
        media_type=raw.media_type,
        pages=normalized.pages,
        passage_count=len(passages),
        collection=source.collection or "",
        signs=(*(name for sign in found for name in sign.names), *page_signs(raw)),
    )
    if flag is not None:
        for sign in found:
            flag(sign.sentence)
    if tell is not None:
        for notice in page_notices(raw):
            tell(notice)
    return ParsedDocument(document, text, passages, reading_version)


def _title(raw: RawDocument, normalized: Normalized, file: Path) -> str:
    """Return the file's own title, else its running head, first heading or first line, else its name."""
    if own := useful_title(raw.title):
        return own
    first = normalized.headings[0].of(normalized.text) if normalized.headings else normalized.text.split("\n", 1)[0]
    head = useful_title(raw.running_head) if not normalized.headings else None
    return _shortened(head or one_line(first) or "") or one_line(file.stem) or "Untitled"


def page_signs(raw: RawDocument) -> tuple[str, ...]:
    """Return what a document keeps of pages that had no text: ``unread:2-3/4`` and ``recognized:5/9``."""
    named = (("unread", raw.pages_without_text), ("recognized", raw.recognized_pages))
    return tuple(f"{name}:{in_ranges(pages)}/{raw.page_count}" for name, pages in named if pages)


def in_ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers with runs shortened: ``2-4,7``."""
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
    """`text`, or as many whole words of it as `TITLE_LENGTH` holds."""
    if len(text) <= TITLE_LENGTH:
        return text
    head = text[: TITLE_LENGTH - 1]
    words = head.rsplit(" ", 1)[0] if " " in head[TITLE_LENGTH // 2 :] else _whole_graphemes(head)
    return f"{words.rstrip(' ,;:-–—')}…"


def _whole_graphemes(head: str) -> str:
    """`head` without its last grapheme, which may have been cut."""
    starts = [match.start() for match in regex.finditer(r"\X", head)]
    return head[: starts[-1]]
