"""Remove an uploaded file that couldn't be read, unless another upload of its name has taken its place."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex

Identity = tuple[int, ...]
"""Device, inode, time of change in nanoseconds, and size in bytes: uploads replace each other, and are never changed."""


def identity(path: Path | None) -> Identity | None:
    """Return what tells the file at `path` from one that takes its place; None if there is none."""
    if path is None:
        return None
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size


def remove_same(path: Path, before: Identity | None) -> None:
    """Remove the file at `path` if it is the one that had the identity `before`. Raises OSError."""
    if before is None or identity(path) != before:
        return
    aside = path.with_name(f".{token_hex(8)}.part")
    path.rename(aside)  # from here on, nothing can take its place
    if identity(aside) == before:
        aside.unlink()
        return
    try:  # one that took its place just before goes back, unless a still newer one is there
        path.hardlink_to(aside)
    except OSError:
        if not path.exists():  # a disk without such links
            aside.replace(path)
    aside.unlink(missing_ok=True)
