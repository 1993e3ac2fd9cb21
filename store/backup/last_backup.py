"""Remember where the last backup is, so that an error about a damaged library can name it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

NOTE = "last-backup.json"
"""The file in the home with its place and time; not part of a backup."""


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The most recent backup."""

    file: Path
    made: str
    """ISO 8601 in UTC."""


def last_backup(home: Path) -> LastBackup | None:
    """Return the last backup of the library at `home`; None if there is none, or its file is gone."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        noted = json.loads((home / NOTE).read_text(encoding="utf-8"))
        found = LastBackup(Path(noted["file"]), str(noted["made"]))
        return found if found.file.is_file() else None
    return None


def note_backup(home: Path, file: Path, made: str) -> None:
    """Record that a backup was made; `made` is ISO 8601."""
    with suppress(OSError):  # a read-only home can be backed up too
        noted = {"file": str(file.absolute()), "made": made}
        (home / NOTE).write_text(json.dumps(noted), encoding="utf-8")


def restore_advice(home: Path) -> str:
    """Return how to restore a damaged database, with the name of the last backup if its file still exists."""
    backup = last_backup(home)
    if backup is not None:
        return f"restore the backup of {backup.made} with `attest restore {quote(str(backup.file))} --replace`"
    former = sorted(home.glob("before-restore-*/catalog.sqlite"))
    beside = f" (the library that was replaced lies in {former[-1].parent})" if former else ""
    return f"restore a backup with `attest restore FILE --replace`{beside}"
