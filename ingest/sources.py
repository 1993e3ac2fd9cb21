"""What is known of a text beside the text: from `sources.yaml` in its folder, else from the file, else from its words.

`sources.yaml` is a list of entries with `file` and any of `title`, `speaker`, `published`, `language`:

    - file: statement.txt
      title: Statement to the Council
      speaker: United Nations Association of China (UNA-China)
      published: 2022-09
      language: en

Other keys are left alone: they may mean something to somebody else.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ingest.dates import iso_date
from ingest.raw import RawDocument
from store.errors import ReadError

FILE = "sources.yaml"
LONGEST_TITLE = 120
"""Code points: a longer first line is shortened."""


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One entry of a `sources.yaml`; None where it says nothing."""

    title: str | None = None
    speaker: str | None = None
    published: str | None = None
    language: str | None = None


def read_sources(folder: Path) -> dict[str, SourceEntry]:
    """The entries of a folder's `sources.yaml` by file name, in NFC; empty where there is none.

    Raises ReadError naming the entry that is wrong.
    """
    path = folder / FILE
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReadError(f"{path} can't be read as YAML: {' '.join(str(error).split())}.") from error
    if content is None:
        return {}
    if not isinstance(content, list):
        raise ReadError(f"{path} must be a list of entries that begin with `- file: NAME`.")
    entries: dict[str, SourceEntry] = {}
    for number, entry in enumerate(content, start=1):
        if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
            raise ReadError(f"Entry {number} of {path} names no file: begin it with `- file: NAME`.")
        entries[unicodedata.normalize("NFC", entry["file"])] = _entry(entry, number, path)
    return entries


def described(raw: RawDocument, text: str, path: Path, entry: SourceEntry) -> SourceEntry:
    """`entry` with its gaps filled from the file's own metadata, its first line, and its name; not the language."""
    first_line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return replace(
        entry,
        title=entry.title or raw.title or _shortened(first_line) or path.stem,
        speaker=entry.speaker or raw.author,
        published=entry.published or raw.published,
    )


def _entry(entry: dict[str, Any], number: int, path: Path) -> SourceEntry:
    published = entry.get("published")
    date = iso_date(published)
    if published is not None and date is None:
        raise ReadError(
            f"Entry {number} of {path} has the date {published!r}: write it as 2023, 2023-06 or 2023-06-14."
        )
    values = {}
    for name in ("title", "speaker", "language"):
        value = entry.get(name)
        if value is not None and not isinstance(value, str):
            raise ReadError(f"Entry {number} of {path} has a {name} that is no text: put it in quotation marks.")
        values[name] = unicodedata.normalize("NFC", value).strip() or None if value else None
    return SourceEntry(published=date, **values)


def _shortened(line: str) -> str:
    line = line.lstrip("#*-–— ").strip()
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"
