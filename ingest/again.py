"""Documents that an older version of Attest read: which they are, and how they are read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.pipeline import Failure, IngestReport, ingest_paths, ingest_samples
from ingest.preparation import first_current

if TYPE_CHECKING:
    from store.library import Library, Progress
    from store.types import Document

_SAMPLE = "sample:"
_GONE = "This file is gone; its document stays as it was read. Bring the file back, or remove the document."


def older_documents(library: Library) -> Iterator[tuple[Document, ...]]:
    """Yield pages of the documents that an older version read from files, ordered by uri."""
    after: str | None = None
    while True:
        page = library.documents_prepared_before(first_current(), after)
        yield tuple(each for each in page.documents if each.uri.startswith(_SAMPLE) or Path(each.uri).is_absolute())
        if page.next is None:
            return
        after = page.next


def ingest_again(library: Library, progress: Progress | None = None) -> IngestReport:
    """Read the files again whose documents an older version read.

    A document whose file is gone stays as it is and counts as failed. Raises what the library raises.
    """
    report, with_samples = IngestReport(), False
    for page in older_documents(library):
        with_samples = with_samples or any(each.uri.startswith(_SAMPLE) for each in page)
        files = [Path(each.uri) for each in page if not each.uri.startswith(_SAMPLE)]
        gone = tuple(Failure(str(file), _GONE) for file in files if not file.is_file())
        there = [file for file in files if file.is_file()]
        report += IngestReport(failed=gone)
        if there:
            report += ingest_paths(library, there, progress=progress)
    return report + ingest_samples(library, progress) if with_samples else report
