"""Paths -> a library: every file read, cut and added once, and again only when it changed.

Files are read one at a time while the library takes them, so memory doesn't grow with their number. A file
that can't be read is named with its reason, and the rest goes on.
"""

from __future__ import annotations

import logging
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.file_task import FileOutcome, FileTask, ParseAll, parse_task, reader_failed
from ingest.preparation import preparation
from ingest.read import read_bytes
from ingest.sidecar import SOURCES_FILE, Source, read_sources
from ingest.walk import Skipped, Unreadable, files_below, is_wanted, roots_of
from store.collections import checked_collection
from store.errors import AttestError, ReadError
from store.logs import facts
from store.types import ParsedDocument

if TYPE_CHECKING:
    from store.library import AddResult, Library, Progress

log = logging.getLogger(__name__)

SAMPLES = Path(__file__).resolve().parent / "samples"
"""The sample documents that come with Attest."""

SKIPPED_NAMES = 20
"""Files of unknown formats that a report names; the others are counted."""

UriOf = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that did not get in, and one sentence that says why."""

    path: str
    error: str
    cause: AttestError | None = None
    """The error that `error` states, for a page that shows it in another language."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of the files: counts of documents, and those that failed."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: tuple[Failure, ...] = ()
    passages: int = 0
    """Of the documents that were added or updated."""
    seconds: float = 0.0
    flagged: tuple[Failure, ...] = ()
    """Files that did get in, with signs that they were made to mislead their readers."""
    partial: tuple[Failure, ...] = ()
    """Files that did get in, with a sentence about pages or parts that could not be read as text."""
    skipped: tuple[str, ...] = ()
    """The first files of unknown formats, at most `SKIPPED_NAMES` of them."""
    skipped_count: int = 0

    def __add__(self, other: IngestReport) -> IngestReport:
        """Both together."""
        return IngestReport(
            added=self.added + other.added,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            removed=self.removed + other.removed,
            failed=self.failed + other.failed,
            passages=self.passages + other.passages,
            seconds=round(self.seconds + other.seconds, 3),
            flagged=self.flagged + other.flagged,
            partial=self.partial + other.partial,
            skipped=(self.skipped + other.skipped)[:SKIPPED_NAMES],
            skipped_count=self.skipped_count + other.skipped_count,
        )

    @property
    def is_empty(self) -> bool:
        """Whether no file was read, nor known already."""
        return not (self.added or self.updated or self.unchanged or self.removed)

    def to_json(self) -> dict[str, object]:
        """Return the object that `attest ingest --json` prints; lists of files are in it where they hold any."""
        counts = asdict(replace(self, failed=(), flagged=(), partial=()))
        for name in ("flagged", "partial", "skipped", "skipped_count"):
            del counts[name]
        listed = {"failed": self.failed} | {
            name: files for name, files in (("flagged", self.flagged), ("partial", self.partial)) if files
        }
        if self.skipped_count:
            counts |= {"skipped": list(self.skipped), "skipped_count": self.skipped_count}
        return counts | {
            name: [{"path": each.path, "error": each.error} for each in files] for name, files in listed.items()
        }


@dataclass(slots=True)
class _Tally:
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    failed: list[Failure] = field(default_factory=list)
    flagged: list[Failure] = field(default_factory=list)
    partial: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    skipped_count: int = 0

    def skip(self, path: Path) -> None:
        self.skipped_count += 1
        if len(self.skipped) < SKIPPED_NAMES:
            self.skipped.append(_shown(path))

    def tell(self, path: Path, notice: str) -> None:
        self.partial.append(Failure(_shown(path), notice))

    def count(self, results: Iterable[AddResult]) -> None:
        for result in results:
            if result.outcome == "unchanged":
                self.unchanged += 1
                continue
            if result.outcome == "added":
                self.added += 1
            else:
                self.updated += 1
            self.passages += result.document.passage_count

    def flag(self, path: Path, sign: str) -> None:
        self.flagged.append(Failure(_shown(path), sign))

    def fail(self, path: Path, reason: str, cause: AttestError | None = None) -> None:
        self.failed.append(Failure(_shown(path), reason, cause))


def ingest_paths(
    library: Library,
    paths: Sequence[Path | str],
    *,
    sync: bool = False,
    progress: Progress | None = None,
    uri_of: UriOf | None = None,
    collection: str | None = None,
    parse_all: ParseAll | None = None,
) -> IngestReport:
    """Put the files at and below `paths` into `library`; a document's uri is its file's absolute path.

    They belong to `collection`, unless their `sources.yaml` names another; with None, documents that are in the
    library stay in theirs.

    With `sync`, documents of files that are no longer below `paths` are removed, after the rest was added, so that
    a renamed file is not embedded again. `uri_of` names documents otherwise, and then there is nothing to sync by.
    `parse_all` reads the files elsewhere than in this process.

    Raises NotFoundError for a path that isn't there and RequestError for an unusable name of a collection, before
    anything is done, and what the library raises.
    """
    if collection is not None:
        collection = checked_collection(collection)
    if sync and uri_of is not None:
        raise ValueError("sync needs documents that are named by their paths")
    start = time.monotonic()
    roots = roots_of(paths)
    tally = _Tally()
    writer = library.writer(progress)
    tasks = _tasks(library, roots, uri_of or _path_of, collection, tally)
    for parsed in _parsed((parse_all or _parse_here(library))(tasks), tally):
        tally.count(writer.add(parsed))
    tally.count(writer.finish())
    if sync:
        for root in roots:
            tally.removed += _remove_what_is_gone(library, root)
    report = IngestReport(
        added=tally.added,
        updated=tally.updated,
        unchanged=tally.unchanged,
        removed=tally.removed,
        failed=tuple(tally.failed),
        passages=tally.passages,
        seconds=round(time.monotonic() - start, 3),
        flagged=tuple(tally.flagged),
        partial=tuple(tally.partial),
        skipped=tuple(tally.skipped),
        skipped_count=tally.skipped_count,
    )
    counts = {"failed": len(report.failed), "flagged": len(report.flagged), "partial": len(report.partial)}
    counts["skipped"] = report.skipped_count
    log.info("files taken in", extra=facts(**report.to_json() | counts))
    return report


def ingest_samples(library: Library, progress: Progress | None = None, collection: str | None = None) -> IngestReport:
    """Put the sample documents into `library`, as ``sample:NAME`` wherever Attest is installed."""
    return ingest_paths(
        library, [SAMPLES], progress=progress, uri_of=lambda path: f"sample:{path.name}", collection=collection
    )


def _parsed(outcomes: Iterable[FileOutcome], tally: _Tally) -> Iterator[ParsedDocument]:
    """Yield the documents; what else came of the files goes to the tally."""
    for outcome in outcomes:
        for sign in outcome.signs:
            tally.flag(outcome.file, sign)
        for notice in outcome.notices:
            tally.tell(outcome.file, notice)
        if outcome.failure is not None:
            tally.fail(outcome.file, str(outcome.failure), outcome.failure)
        if outcome.parsed is not None:
            yield outcome.parsed


def _parse_here(library: Library) -> ParseAll:
    """Return a function that reads files one by one in this process."""

    def parse_all(tasks: Iterable[FileTask]) -> Iterator[FileOutcome]:
        for task in tasks:
            yield parse_task(task, library.embedder.count_tokens, library.settings.passage_tokens)

    return parse_all


def _tasks(
    library: Library, roots: Sequence[Path], uri_of: UriOf, collection: str | None, tally: _Tally
) -> Iterator[FileTask]:
    """Yield all files that are new or changed; the others go to the tally."""
    sources = _Sources(tally)
    for root in roots:
        for file in files_below(root):
            if isinstance(file, Unreadable):
                tally.fail(file.path, file.reason)
                continue
            if isinstance(file, Skipped):
                tally.skip(file.path)
                continue
            if file.name == SOURCES_FILE or (entries := sources.of_folder(file.parent)) is None:
                continue
            source = entries.get(unicodedata.normalize("NFC", file.name), Source())
            if source.collection is None:
                source = replace(source, collection=collection)
            try:
                task = _task_if_changed(library, file, uri_of(file), source)
            except ReadError as error:
                tally.fail(file, str(error), error)
            except (MemoryError, ValueError, OSError) as error:
                failure = reader_failed(error)
                tally.fail(file, str(failure), failure)
            else:
                if task is None:
                    tally.unchanged += 1
                else:
                    yield task


def _task_if_changed(library: Library, file: Path, uri: str, source: Source) -> FileTask | None:
    """Return the bytes of a file with what is known of it; None if the library holds what they would give."""
    _refuse_unwritable_name(file)
    data = read_bytes(file)
    digest = sha256(data).hexdigest()
    number = preparation(source, library.settings.passage_tokens)
    if library.is_current(uri, digest, number):
        return None
    if source.collection is None and (known := library.find_document(uri)) is not None:
        source = replace(source, collection=known.collection)
    return FileTask(file, data, uri, source, digest, number)


def _remove_what_is_gone(library: Library, root: Path) -> int:
    """Remove the documents below `root` whose files are gone, page by page; returns how many."""
    removed = 0
    folder = f"{root.as_posix().rstrip('/')}/"
    after: str | None = folder
    while after is not None:
        page = library.documents(after=after)
        below = [document for document in page.documents if document.uri.startswith(folder)]
        for document in below:
            if _is_gone(Path(document.uri), root):
                library.remove(document.id)
                removed += 1
        after = page.next if len(below) == len(page.documents) else None
    return removed


def _is_gone(path: Path, root: Path) -> bool:
    """Return whether `path` is no longer found below `root`; what this user may not look at is taken to be there."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return not _is_there(path, root)


def _is_there(path: Path, root: Path) -> bool:
    """Return whether `path` would be found below `root`: a wanted file, with no folder above it hidden or a link."""
    between = path.relative_to(root).parts[:-1]
    folders = (root.joinpath(*between[:depth]) for depth in range(1, len(between) + 1))
    return is_wanted(path) and not any(folder.name.startswith(".") or folder.is_symlink() for folder in folders)


class _Sources:
    """The `sources.yaml` of the folder that is being read; a bad one keeps its folder's files out."""

    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._folder: Path | None = None
        self._entries: dict[str, Source] | None = None

    def of_folder(self, folder: Path) -> dict[str, Source] | None:
        """The entries by file name, or None where they can't be read: that is tallied once."""
        if folder != self._folder:
            self._folder = folder
            try:
                self._entries = read_sources(folder)
            except ReadError as error:
                self._entries = None
                self._tally.fail(folder / SOURCES_FILE, f"{error} The files beside it wait until it is mended.")
        return self._entries


def _path_of(path: Path) -> str:
    return path.as_posix()


def _refuse_unwritable_name(file: Path) -> None:
    try:
        str(file).encode()
    except UnicodeEncodeError as error:
        raise ReadError("The name of this file is not valid Unicode: rename it.", code="name_unicode") from error


def _shown(path: Path) -> str:
    """A path as it can be printed anywhere: one line, no control characters, valid Unicode."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
