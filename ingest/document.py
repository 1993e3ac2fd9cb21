"""One file -> one document: read, normalized, its language told, cut into passages, titled."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import regex

from ingest.blocks import RawDocument
from ingest.normalize import NORMALIZATION_VERSION, Normalized, normalize, normalize_text
from ingest.read import READERS_VERSION, read_document
from ingest.sources import Source
from ingest.split import SPLITTING_VERSION, split
from ingest.suspicious import signs
from store.errors import ReadError
from store.ids import document_id
from store.text.language import detect_language
from store.types import Document, ParsedDocument

PREPARATION_VERSION = (READERS_VERSION, NORMALIZATION_VERSION, SPLITTING_VERSION)
"""Of all that turns bytes into passages."""

TITLE_LENGTH = 120
"""Code points of a title that is taken from the text; a longer line is shortened."""

NAME_LENGTH = 300
"""Code points of a title or speaker, whoever gave it."""

_NO_TITLE = regex.compile(
    r"untitled.*|document ?\d*|microsoft (?:word|powerpoint|excel) - .*|slide 1"
    r"|.*\.(?:docx?|pdf|indd|tex|rtf|odt|txt|html?)",
    regex.I,
)


def parse(
    file: Path,
    data: bytes,
    *,
    uri: str,
    source: Source,
    original_sha256: str,
    preparation: int,
    count_tokens: Callable[[str], int],
    passage_tokens: int,
    flag: Callable[[str], None] | None = None,
) -> ParsedDocument:
    """The document of a file whose bytes are `data`, as a library takes it.

    What `source` says of it comes before what the file says of itself. `preparation` is stored with it, to
    tell a later run whether it would do the same. `flag` is called with each sign that the file was made to
    mislead its readers. Raises ReadError, naming the reason.
    """
    raw = read_document(file, data)
    normalized = normalize(raw.blocks)
    text = normalized.text
    if not regex.search(r"[\p{L}\p{N}\p{S}]", text):
        raise ReadError("This file has no words in it.", code="no_words")
    language = source.language or detect_language(text)
    passages = split(
        text,
        language,
        count_tokens=count_tokens,
        passage_tokens=passage_tokens,
        headings=None if normalized.headings is None else frozenset(span.start for span in normalized.headings),
    )
    title = _name(source.title) or _title(raw, normalized, file)
    speaker = _name(source.speaker) or _name(raw.author)
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
        signs=tuple(name for sign in found for name in sign.names),
    )
    if flag is not None:
        for sign in found:
            flag(sign.sentence)
    return ParsedDocument(document, text, passages, preparation)


def _title(raw: RawDocument, normalized: Normalized, file: Path) -> str:
    """The file's own title, else its first heading, else its first line, else its name."""
    own = _name(raw.title)
    if own and not _NO_TITLE.fullmatch(own):
        return own
    first = normalized.headings[0].of(normalized.text) if normalized.headings else normalized.text.split("\n", 1)[0]
    return _shortened(_name(first) or "") or _name(file.stem) or "Untitled"


def _name(text: str | None) -> str | None:
    """A title or name on one line, without anything invisible."""
    if not text:
        return None
    return " ".join(normalize_text(text[: 2 * NAME_LENGTH]).text.split())[:NAME_LENGTH].strip() or None


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
