"""Reading the catalog as it is at one moment: every lookup goes by a key, none by a scan.

Only live documents are seen: neither those that are still being added nor those being removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.types import Document, Filter, Passage

if TYPE_CHECKING:
    from store.embed import FloatArray, PassageVectors


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with all that ranking and showing it need."""

    passage: Passage
    document: Document
    text: str
    vectors: PassageVectors


@dataclass(frozen=True, slots=True)
class LanguageStatistics:
    """Sum of the raw passage vectors of one language, so ``sum / count`` is their mean."""

    language: str
    count: int
    sum: FloatArray  # (dimensions,)


class Snapshot:
    """One moment of the catalog."""

    def stored_passages(self, passage_ids: Sequence[str], where: Filter | None = None) -> dict[str, StoredPassage]:
        """Those of `passage_ids` that are live and pass the filter, by id, with words and raw vectors."""
        raise NotImplementedError

    def language_statistics(self) -> dict[str, LanguageStatistics]:
        """For each language, count and sum of its passages' raw vectors."""
        raise NotImplementedError
