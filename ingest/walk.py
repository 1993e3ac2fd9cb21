"""Find the files below the paths that a user names: in a fixed order, and none outside the folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.readers import SUFFIXES
from ingest.sidecar import SOURCES_FILE as SIDECAR
from store.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Skipped:
    """A visible file of a format without a reader."""

    path: Path


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An inaccessible folder."""

    path: Path
    reason: str


def roots_of(paths: Sequence[Path | str]) -> tuple[Path, ...]:
    """Return `paths` resolved, in order, without those inside another. Raises NotFoundError for a missing one."""
    roots: list[Path] = []
    for path in paths:
        try:
            roots.append(Path(path).expanduser().resolve(strict=True))
        except (OSError, RuntimeError) as error:
            raise NotFoundError(f"There is no file or folder {path}: check its spelling.") from error
    distinct = dict.fromkeys(roots)
    return tuple(root for root in distinct if not any(parent in distinct for parent in root.parents))


def files_below(root: Path) -> Iterator[Path | Skipped | Unreadable]:
    """Yield `root` itself if it is a file; otherwise the ingestible files in it, folder by folder in sorted order.

    Files of other formats are yielded as skipped; hidden ones and `sources.yaml` are ignored. Symbolic links are not
    followed: one to the outside would add what the user didn't name, and one to the inside what is already there.
    """
    if not root.is_dir():
        yield root
        return
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            yield Unreadable(folder, f"This folder can't be opened: {(error.strerror or 'unknown reason').lower()}.")
            continue
        for entry in entries:
            if is_wanted(entry):
                yield folder / entry.name
            elif _is_visible_file(entry) and entry.name != SIDECAR:
                yield Skipped(folder / entry.name)
        folders.extend(
            folder / entry.name
            for entry in reversed(entries)
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        )


def is_wanted(entry: os.DirEntry[str] | Path) -> bool:
    """Return whether a file in a folder should be ingested: regular, visible, and of a known format."""
    return Path(entry.name).suffix.lower() in SUFFIXES and _is_visible_file(entry)


def _is_visible_file(entry: os.DirEntry[str] | Path) -> bool:
    if entry.name.startswith("."):
        return False
    try:
        mode = entry.lstat().st_mode if isinstance(entry, Path) else entry.stat(follow_symlinks=False).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode)
