"""Files into a library: walk, read, normalize, describe, split, add. Repeat-safe, and no file stops the others.

Documents are read as the library takes them, so memory holds a few at a time however many there are.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.normalize import NORMALIZATION_VERSION, normalize
from ingest.read import SUFFIXES, read_bytes, read_document
from ingest.sources import FILE, SourceEntry, described, read_sources
from ingest.split import split
from store.errors import AttestError, NotFoundError, ReadError
from store.language import detect_language
from store.library import Library
from store.types import Document, ParsedDocument

SPLITTING_VERSION = 1
"""Of how text is cut; with the normalization it decides whether a stored document is as it would be made today."""
VERSION = NORMALIZATION_VERSION * 1000 + SPLITTING_VERSION

Progress = Callable[[int, int], None]
Naming = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be added, and why."""

    path: str
    error: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did. Counts are of documents, but for `passages`, which are those of added and updated ones."""

    added: int
    updated: int
    unchanged: int
    removed: int
    failed: tuple[Failure, ...]
    passages: int
    seconds: float


@dataclass(slots=True)
class _Tally:
    """Counts while an ingest runs."""

    outcomes: dict[str, int] = field(default_factory=lambda: {"added": 0, "updated": 0, "unchanged": 0})
    failed: list[Failure] = field(default_factory=list)
    passages: int = 0
    removed: int = 0

    def report(self, seconds: float) -> IngestReport:
        """The counts so far, frozen."""
        return IngestReport(
            **self.outcomes,
            removed=self.removed,
            failed=tuple(self.failed),
            passages=self.passages,
            seconds=round(seconds, 3),
        )


def ingest_paths(
    library: Library,
    paths: Sequence[Path],
    *,
    sync: bool = False,
    progress: Progress | None = None,
    naming: Naming | None = None,
) -> IngestReport:
    """Add the files at `paths`, folders with all below them; with `sync`, also remove what is gone from the folders.

    `progress` is called with (passages embedded, passages known); `naming` makes a document's uri of its path.

    Raises NotFoundError for a path that doesn't exist, before anything is changed.
    """
    started = time.perf_counter()
    named = naming or uri_of
    tally = _Tally()
    roots = [_existing(path) for path in paths]
    files = list(dict.fromkeys(file for root in roots for file in walk(root)))
    for result in library.add_many(_parsed(files, library, named, tally), progress):
        tally.outcomes[result.outcome] += 1
        if result.outcome != "unchanged":
            tally.passages += result.document.passage_count
    if sync:
        present = {named(file) for file in files}
        for root in roots:
            tally.removed += _remove_missing(library, root, present, named)
    return tally.report(time.perf_counter() - started)


def uri_of(path: Path) -> str:
    """The uri of a file: its absolute path."""
    return path.absolute().as_posix()


def walk(root: Path) -> Iterator[Path]:
    """The readable files at or below `root`, in order of their names.

    Hidden files, `sources.yaml`, other formats, devices, and links that lead out of the folder are passed over;
    a file that is named itself is taken whatever its name.
    """
    if not root.is_dir():
        yield root
        return
    inside = root.resolve()
    for folder, folders, names in root.walk(follow_symlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = folder / name
            if name.startswith(".") or name == FILE or path.suffix.lower() not in SUFFIXES:
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                continue
            if path.is_file():
                yield path


def parse(
    path: Path,
    data: bytes,
    *,
    uri: str,
    entry: SourceEntry,
    count_tokens: Callable[[str], int],
    passage_tokens: int,
) -> ParsedDocument:
    """One file as a document with its passages. Raises ReadError."""
    raw = read_document(path, data)
    normalized = normalize(raw.blocks)
    text = normalized.text
    if not text.strip():
        raise ReadError("This file has no text in it.")
    known = described(raw, text, path, entry)
    language = known.language or detect_language(text)
    identity = hashlib.sha256(uri.encode()).hexdigest()[:12]
    headings = None if normalized.headings is None else frozenset(span.start for span in normalized.headings)
    passages = split(
        text,
        language,
        document_id=identity,
        count_tokens=count_tokens,
        passage_tokens=passage_tokens,
        headings=headings,
    )
    document = Document(
        id=identity,
        uri=uri,
        title=known.title or path.stem,
        language=language,
        original_sha256=hashlib.sha256(data).hexdigest(),
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        speaker=known.speaker,
        published=known.published,
        media_type=raw.media_type,
        pages=normalized.pages,
        passage_count=len(passages),
    )
    return ParsedDocument(document, text, passages, VERSION)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise NotFoundError(f"There is no file or folder {path}: check the path.")
    return path.absolute()


def _parsed(files: Iterable[Path], library: Library, named: Naming, tally: _Tally) -> Iterator[ParsedDocument]:
    """The files that the library doesn't hold as they are now; failures are noted, and the rest goes on."""
    entries: dict[Path, dict[str, SourceEntry]] = {}
    for path in files:
        try:
            if path.parent not in entries:
                entries[path.parent] = {}  # One broken sources.yaml is one failure, not one for each file.
                entries[path.parent] = read_sources(path.parent)
        except AttestError as error:
            tally.failed.append(Failure(str(path.parent / FILE), str(error)))
        entry = entries[path.parent].get(path.name, SourceEntry())
        try:
            data = read_bytes(path)
            uri = named(path)
            if _is_current(library, uri, data, entry):
                tally.outcomes["unchanged"] += 1
                continue
            yield parse(
                path,
                data,
                uri=uri,
                entry=entry,
                count_tokens=library.embedder.count_tokens,
                passage_tokens=library.settings.passage_tokens,
            )
        except ReadError as error:
            tally.failed.append(Failure(str(path), str(error)))


def _is_current(library: Library, uri: str, data: bytes, entry: SourceEntry) -> bool:
    """Whether the library holds this very file, described as `entry` says; then there is nothing to read."""
    if not library.is_current(uri, hashlib.sha256(data).hexdigest(), VERSION):
        return False
    document = library.find_document(uri)
    if document is None:
        return False
    said = {"title": entry.title, "speaker": entry.speaker, "published": entry.published, "language": entry.language}
    return all(value is None or getattr(document, name) == value for name, value in said.items())


def _remove_missing(library: Library, root: Path, present: set[str], named: Naming) -> int:
    """Remove the documents below a folder whose files are gone; returns how many."""
    if not root.is_dir():
        return 0
    prefix = named(root).rstrip("/") + "/"
    gone: list[str] = []
    after: str | None = prefix
    while after is not None:
        page = library.documents(after=after)
        inside = [document for document in page.documents if document.uri.startswith(prefix)]
        gone += [document.id for document in inside if document.uri not in present]
        after = page.next if len(inside) == len(page.documents) else None
    for document_id in gone:
        library.remove(document_id)
    return len(gone)
