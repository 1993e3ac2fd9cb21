"""Write and read backup files: a zip archive of uncompressed parts, with a list of them and their checksums.

Uncompressed parts can't unpack to more than the file's size. Nothing in it is run or unpickled: it holds databases,
JSON, TOML and uploaded files. An archive with anything else is refused before a byte is written.

    backup.zip
    ├── catalog.sqlite, ...   DATABASES, each as it was at one moment
    ├── attest.toml           SETTINGS
    ├── uploads/...           FOLDERS
    └── backup.json           the list: path, size and SHA-256 of each part
"""

from __future__ import annotations

import json
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from store import settings
from store.catalog import account_file
from store.catalog.catalog import FILE as CATALOG
from store.errors import RequestError

FORMAT = "attest.backup/1"
LIST = "backup.json"
ACCOUNTS = account_file.FILE
DATABASES = (ACCOUNTS, CATALOG)
"""The catalog is last: once it is in place, a restored library is complete."""
SETTINGS = settings.FILE
FOLDERS = ("uploads", "evaluations")
"""Uploads and the results of evaluations. Models and indexes can be made again without a backup."""
_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, RecursionError, OSError, zipfile.BadZipFile, EOFError)
MAX_PARTS = 1_000_000
MAX_LIST_BYTES = 512 * 2**20
MAX_PATH = 1_000
"""Characters in the path of a part."""
MAX_DEPTH = 20
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One file in a backup."""

    path: str
    """The path below the home, with ``/`` between folders."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a backup, according to its list."""

    made: str
    """ISO 8601 in UTC."""
    made_by: str
    schema: int
    parts: tuple[Part, ...]
    format: str = FORMAT

    @property
    def size(self) -> int:
        """Total bytes of the parts."""
        return sum(part.size for part in self.parts)

    def to_json(self) -> str:
        """Return the list, in the form that `read_contents` reads."""
        return json.dumps(asdict(self), ensure_ascii=False)


def is_allowed(path: str) -> bool:
    """Return whether a part may have this path: one of the names above, and inside the home on any system."""
    pure = PurePosixPath(path)
    names = pure.parts
    plain = (
        0 < len(path) <= MAX_PATH
        and str(pure) == path
        and not pure.is_absolute()
        and not any(character in path for character in "\\:")
        and not any(unicodedata.category(character) in ("Cc", "Cs") for character in path)
        and not any(name in ("", ".", "..") or name != name.rstrip(" .") for name in names)
    )
    if not plain:
        return False
    if len(names) == 1:
        return path in (*DATABASES, SETTINGS)
    return names[0] in FOLDERS and len(names) <= MAX_DEPTH


@contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Contents]]:
    """Open a backup and check everything except its checksums. Raises RequestError that says what is wrong."""
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise RequestError(f"There is no file {file}: check its spelling.") from error
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise RequestError(f"{file} can't be read as a backup: it is something else, or it is damaged.") from error
    with archive:
        yield archive, _checked(archive, file)


def _checked(archive: zipfile.ZipFile, file: Path) -> Contents:
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if len(entries) > MAX_PARTS:
        raise _refused(file, f"it has {len(entries):,} parts; the limit is {MAX_PARTS:,}")
    if len(names) != len(entries):
        raise _refused(file, "two of its parts have the same name")
    for entry in entries:
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG) or entry.filename.endswith("/"):
            raise _refused(file, f"its part {_short(entry.filename)} is a link, a folder or a device")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise _refused(file, f"its part {_short(entry.filename)} is compressed or encrypted")
    contents = read_contents(archive, file)
    listed = {part.path: part for part in contents.parts}
    if len(listed) != len(contents.parts) or listed.keys() | {LIST} != names:
        raise _refused(file, "it doesn't hold what its list says")
    for entry in entries:
        if entry.filename != LIST and not is_allowed(entry.filename):
            raise _refused(file, f"its part {_short(entry.filename)} has a name that no backup has")
        if entry.filename != LIST and entry.file_size != listed[entry.filename].size:
            raise _refused(file, f"its part {_short(entry.filename)} has another size than its list says")
    if contents.size > file.stat().st_size:
        raise _refused(file, "its parts lie on top of each other")
    if CATALOG not in listed:
        raise _refused(file, "it has no catalog")
    return contents


def read_contents(archive: zipfile.ZipFile, file: Path) -> Contents:
    """Read the list in an open backup. Raises RequestError if it is missing or has another format."""
    try:
        entry = archive.getinfo(LIST)
        if entry.file_size > MAX_LIST_BYTES:
            raise _refused(file, "its list is too long")
        data = json.loads(archive.read(entry))
        if data.get("format") != FORMAT:
            raise _refused(file, f"its format is not {FORMAT}: it was made by another version of Attest")
        parts = tuple(Part(str(each["path"]), _natural(each["size"]), str(each["sha256"])) for each in data["parts"])
        return Contents(str(data["made"])[:40], str(data["made_by"])[:40], _natural(data["schema"]), parts)
    except RequestError:
        raise
    except _UNREADABLE as error:
        raise _refused(file, "its list is missing or damaged") from error


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(value)
    return value


def _refused(file: Path, why: str) -> RequestError:
    return RequestError(f"{file} can't be used as a backup: {why}. Nothing was changed.")


def _short(name: str) -> str:
    return repr(name[:100])
