"""Files that are gone: their documents leave the library with `--sync`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ingest.walk import is_wanted

if TYPE_CHECKING:
    from store.library import Library


def remove_documents_of_removed_files(library: Library, root: Path) -> int:
    """Remove the documents below `root` whose files are gone, page by page; return how many."""
    removed = 0
    folder = f"{root.as_posix().rstrip('/')}/"
    after: str | None = folder
    while after is not None:
        page = library.documents(after=after)
        below = [document for document in page.documents if document.uri.startswith(folder)]
        for document in below:
            if _is_gone(Path(document.uri), root):
                library.remove(document.id)
                removed += 1
        after = page.next if len(below) == len(page.documents) else None
    return removed


def _is_gone(path: Path, root: Path) -> bool:
    """Return whether `path` is no longer found below `root`; what this user may not look at is taken to be there."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return not _is_there(path, root)


def _is_there(path: Path, root: Path) -> bool:
    """Return whether `path` would be found below `root`: a wanted file, with no folder above it hidden or a link."""
    between = path.relative_to(root).parts[:-1]
    folders = (root.joinpath(*between[:depth]) for depth in range(1, len(between) + 1))
    return is_wanted(path) and not any(folder.name.startswith(".") or folder.is_symlink() for folder in folders)
