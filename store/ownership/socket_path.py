"""Where the owner of a library listens for other processes of the same user: a socket in a folder that only they can open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "run"
FILE = "api.sock"
_LONGEST = 100
"""Bytes of a path that every system takes for a socket: Linux takes 107, macOS 103."""


def socket_path(home: Path) -> Path:
    """Return where the socket of the library at `home` is, if its owner listens."""
    return home / FOLDER / FILE


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yield a name for `path` that is short enough for a socket's address: the path itself, or one through a link."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="attest-") as folder:
        link = Path(folder) / FOLDER
        link.symlink_to(path.parent.absolute(), target_is_directory=True)
        yield str(link / path.name)
