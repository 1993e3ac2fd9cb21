"""Documents on their way in, gathered so that the embedding model is kept busy across them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from store.catalog import document_changes as adding
from store.errors import RequestError
from store.index.vectorize import PORTION
from store.types import ParsedDocument

Progress = Callable[[int, int], None]
"""Called with (passages embedded so far, passages known so far)."""

DOCUMENTS = 256
"""The most documents in one batch."""


class Report:
    """Adds the batches' progress up."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._done = 0
        self._known = 0

    def know(self, passages: int) -> None:
        """These many more passages are to be added."""
        self._known += passages

    def embedded(self, in_batch: int) -> None:
        """These many of the current batch have their vectors."""
        if self._progress:
            self._progress(self._done + in_batch, self._known)

    def finish(self, in_batch: int) -> None:
        """The batch, of so many passages, is done."""
        self._done += in_batch


def batches(parsed: Iterable[ParsedDocument], report: Report) -> Iterator[list[ParsedDocument]]:
    """Checked documents with distinct uris, as many as are embedded together; the last batch before an error too."""
    batch: dict[str, ParsedDocument] = {}
    for each in parsed:
        try:
            adding.check(each)
        except RequestError:
            yield list(batch.values())
            raise
        if each.document.uri in batch or not _has_room(batch, each):
            yield list(batch.values())
            batch = {}
        batch[each.document.uri] = each
        report.know(len(each.passages))
    yield list(batch.values())


def _has_room(batch: dict[str, ParsedDocument], document: ParsedDocument) -> bool:
    """Whether the batch with this document is still embedded in one portion."""
    passages = sum(len(each.passages) for each in batch.values()) + len(document.passages)
    return not batch or (passages <= PORTION and len(batch) < DOCUMENTS)
