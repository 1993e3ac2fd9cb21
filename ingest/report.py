"""Report the results for files: a tally while they come in, and the report that commands, page and API show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import AttestError

if TYPE_CHECKING:
    from store.library import AddResult

SKIPPED_NAMES = 20
"""Files of unknown formats that a report names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not added, and one sentence with the reason."""

    path: str
    error: str
    cause: AttestError | None = None
    """The error behind `error`, for a page that shows it in another language."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The results for the files: counts of documents, and the failures."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: tuple[Failure, ...] = ()
    passages: int = 0
    """Passages of the documents that were added or updated."""
    seconds: float = 0.0
    flagged: tuple[Failure, ...] = ()
    """Files that were added, with signs that they were made to mislead their readers."""
    partial: tuple[Failure, ...] = ()
    """Files that were added, with a sentence about pages or parts that could not be read as text."""
    skipped: tuple[str, ...] = ()
    """The first files of unknown formats, at most `SKIPPED_NAMES` of them."""
    skipped_count: int = 0

    def __add__(self, other: IngestReport) -> IngestReport:
        """Return the sum of both."""
        both = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        both |= {"seconds": round(both["seconds"], 3), "skipped": both["skipped"][:SKIPPED_NAMES]}
        return IngestReport(**both)

    @property
    def is_empty(self) -> bool:
        """Whether no file was read or already known."""
        return not (self.added or self.updated or self.unchanged or self.removed)

    def to_json(self) -> dict[str, object]:
        """Return the object that `attest ingest --json` prints; lists of files are included if they aren't empty."""
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
class Tally:
    """Counts while files come in; `report` returns the result."""

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
        """Count a file of an unknown format, and keep the first names."""
        self.skipped_count += 1
        if len(self.skipped) < SKIPPED_NAMES:
            self.skipped.append(_shown(path))

    def tell(self, path: Path, notice: str) -> None:
        """Keep a sentence about parts of a file that could not be read."""
        self.partial.append(Failure(_shown(path), notice))

    def count(self, results: Iterable[AddResult]) -> None:
        """Count the results for documents."""
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
        """Keep a sign that a file was made to mislead."""
        self.flagged.append(Failure(_shown(path), sign))

    def fail(self, path: Path, reason: str, cause: AttestError | None = None) -> None:
        """Keep the reason why a file was not added."""
        self.failed.append(Failure(_shown(path), reason, cause))

    def report(self, seconds: float) -> IngestReport:
        """Return the counts as a report."""
        counted = {each.name: getattr(self, each.name) for each in fields(self)}
        listed = {name: tuple(value) for name, value in counted.items() if isinstance(value, list)}
        return IngestReport(**(counted | listed), seconds=round(seconds, 3))


def _shown(path: Path) -> str:
    """Return a path in a form that can be printed anywhere: one line, no control characters, valid Unicode."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
