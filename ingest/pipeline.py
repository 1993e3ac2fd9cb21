"""Add paths to a library: read, cut and add every file once, and again only when it changes.

Files are read one at a time while the library adds them, so memory doesn't grow with their number. A file
that can't be read is reported with its reason, and the others continue.
"""

from __future__ import annotations

import logging
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.parse import FileOutcome, FileTask, ParseAll, parse_task, reader_failed, reading_version
from ingest.read import read_bytes
from ingest.report import IngestReport, Tally
from ingest.sidecar import SOURCES_FILE, Source, read_sources
from ingest.walk import Skipped, Unreadable, files_below, is_wanted, roots_of
from store.collections import checked_collection
from store.errors import ReadError
from store.logs import facts
from store.types import ParsedDocument

if TYPE_CHECKING:
    from store.library import Library, Progress


log = logging.getLogger(__name__)

SAMPLES = Path(__file__).resolve().parent / "samples"
"""The sample documents shipped with Attest."""

UriOf = Callable[[Path], str]


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

    They belong to `collection`, unless their `sources.yaml` names another; with None, documents already in the library
    keep theirs.

    With `sync`, documents whose files are no longer below `paths` are removed after the rest was added, so that a
    renamed file is not embedded again. `uri_of` gives documents other names; then sync isn't possible. `parse_all`
    reads the files outside this process.

    Raises NotFoundError for a missing path and RequestError for an unusable name of a collection, before anything is
    done, and the library's errors.
    """
    if collection is not None:
        collection = checked_collection(collection)
    if sync and uri_of is not None:
        raise ValueError("sync needs documents that are named by their paths")
    start = time.monotonic()
    roots = roots_of(paths)
    tally = Tally()
    writer = library.writer(progress)
    tasks = _tasks(library, roots, uri_of or _path_of, collection, tally)
    for parsed in _parsed((parse_all or _parse_here(library))(tasks), tally):
        tally.count(writer.add(parsed))
    tally.count(writer.finish())
    if sync:
        for root in roots:
            tally.removed += remove_documents_of_removed_files(library, root)
    report = tally.report(time.monotonic() - start)
    counts = {"failed": len(report.failed), "flagged": len(report.flagged), "partial": len(report.partial)}
    counts["skipped"] = report.skipped_count
    log.info("files taken in", extra=facts(**report.to_json() | counts))
    return report


def ingest_samples(library: Library, progress: Progress | None = None, collection: str | None = None) -> IngestReport:
    """Put the sample documents into `library`, as ``sample:NAME`` wherever Attest is installed."""
    return ingest_paths(
        library, [SAMPLES], progress=progress, uri_of=lambda path: f"sample:{path.name}", collection=collection
    )


def _parsed(outcomes: Iterable[FileOutcome], tally: Tally) -> Iterator[ParsedDocument]:
    """Yield the documents; the tally gets the other results."""
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
    library: Library, roots: Sequence[Path], uri_of: UriOf, collection: str | None, tally: Tally
) -> Iterator[FileTask]:
    """Yield all new or changed files; the tally gets the others."""
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
    """Return a file's bytes and metadata; None if the library already has the same document."""
    _refuse_unwritable_name(file)
    data = read_bytes(file)
    digest = sha256(data).hexdigest()
    number = reading_version(source, library.settings.passage_tokens)
    if library.is_current(uri, digest, number):
        return None
    if source.collection is None and (known := library.find_document(uri)) is not None:
        source = replace(source, collection=known.collection)
    return FileTask(file, data, uri, source, digest, number)


class _Sources:
    """The `sources.yaml` of the current folder; if it is invalid, the folder's files are not added."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._folder: Path | None = None
        self._entries: dict[str, Source] | None = None

    def of_folder(self, folder: Path) -> dict[str, Source] | None:
        """Return the entries by file name; None if they can't be read, which is tallied once."""
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


def remove_documents_of_removed_files(library: Library, root: Path) -> int:
    """Remove the documents below `root` whose files are gone, page by page; return their number."""
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
    """Return whether `path` no longer exists below `root`; inaccessible files count as existing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return not _is_there(path, root)


def _is_there(path: Path, root: Path) -> bool:
    """Return whether `path` would be found below `root`: a wanted file, without a hidden folder or a link above it."""
    between = path.relative_to(root).parts[:-1]
    folders = (root.joinpath(*between[:depth]) for depth in range(1, len(between) + 1))
    return is_wanted(path) and not any(folder.name.startswith(".") or folder.is_symlink() for folder in folders)
