"""Find documents that an older version of Attest read, and read them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.parse import first_current
from ingest.pipeline import ingest_paths, ingest_samples
from ingest.report import Failure, IngestReport

if TYPE_CHECKING:
    from store.library import Library, Progress
    from store.types import Document

_SAMPLE = "sample:"
_GONE = "This file is gone; its document stays as it was read. Bring the file back, or remove the document."


SHOWN = 20
"""Documents of an older version to name; the others are counted."""


@dataclass(frozen=True, slots=True)
class OlderReadings:
    """The documents that an older version read."""

    count: int
    uris: tuple[str, ...]
    """The uris of the first of them, at most `SHOWN`."""

    @property
    def advice(self) -> str:
        """A sentence that names them and says what to do."""
        more = self.count - len(self.uris)
        rest = f" and {more:,} more" if more else ""
        were = "1 document was" if self.count == 1 else f"{self.count:,} documents were"
        return (
            f"{were} read by an older version of Attest: {', '.join(self.uris)}{rest}. "
            "Read them again with `attest ingest --again`."
        )


def older_readings(library: Library) -> OlderReadings:
    """Count the documents that an older version read, and name the first of them."""
    uris: list[str] = []
    count = 0
    for page in older_documents(library):
        count += len(page)
        uris += [document.uri for document in page[: SHOWN - len(uris)]]
    return OlderReadings(count, tuple(uris))


def read_by_older_version(library: Library, documents: Sequence[Document]) -> frozenset[str]:
    """Return the ids of those of `documents` that an older version read and that can be read again."""
    ids = [document.id for document in documents if _comes_from_file(document)]
    return library.prepared_before(first_current(), ids)


def _comes_from_file(document: Document) -> bool:
    return document.uri.startswith(_SAMPLE) or Path(document.uri).is_absolute()


def older_documents(library: Library) -> Iterator[tuple[Document, ...]]:
    """Yield pages of the documents that an older version read from files, ordered by uri."""
    after: str | None = None
    while True:
        page = library.documents_prepared_before(first_current(), after)
        yield tuple(filter(_comes_from_file, page.documents))
        if page.next is None:
            return
        after = page.next


def ingest_again(library: Library, progress: Progress | None = None) -> IngestReport:
    """Read the files of documents again that an older version read.

    A document whose file is gone stays unchanged and counts as failed. Raises what the library raises.
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
