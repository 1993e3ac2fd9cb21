"""Fetch files at addresses: `s3://` and `gs://` with obstore, `https://` with fsspec, limited in size and time.

Only the command reads addresses, or the server that it asks, for the person who types it, because they may lead
anywhere that this machine can reach. The page has its own fetcher, which is limited to the public web.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from ingest.pipeline import ingest_paths
from ingest.readers import BY_SUFFIX, READERS, SUFFIXES
from ingest.report import SKIPPED_NAMES, Failure, IngestReport
from ingest.sidecar import SOURCES_FILE
from store.errors import AttestError, LibraryError, NotFoundError, ReadError, RequestError

if TYPE_CHECKING:
    from ingest.parse import ParseAll
    from store.library import Library
    from store.types import Progress

WEB = frozenset({"http", "https"})
CLOUD = {"s3": "s3", "gs": "gs", "gcs": "gs"}
"""Object stores, by obstore's names."""
_ENDPOINTS = {"s3": "AWS_ENDPOINT_URL", "gs": "GOOGLE_BASE_URL"}
"""The environment variables for your own server."""
STORES = frozenset({*CLOUD, "memory"})
"""Listable filesystems; `memory` is fsspec's own."""

MAX_SECONDS = 300.0
"""Per file."""
MAX_PORTION_BYTES = 256 * 2**20
"""Files on this disk before they are read."""
PIECE = 2**20

_SUFFIXES = {media: reader.suffixes[0] for reader in READERS for media in reader.media_types if media != "text/plain"}
_SAY_NOTHING = frozenset({"", "text/plain", "text/x-markdown", "application/octet-stream", "binary/octet-stream"})
"""Media types for which the name's suffix decides."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file at an address."""

    address: str
    name: str
    """Its local name, which shows its format."""
    size: int
    """In bytes; 0 if the server doesn't say."""


def is_address(path: str) -> bool:
    """Return whether `path` is an address rather than a path of this machine."""
    return "://" in path


def ingest_addresses(
    library: Library,
    addresses: Sequence[str],
    *,
    progress: Progress | None = None,
    collection: str | None = None,
    parse_all: ParseAll | None = None,
) -> IngestReport:
    """Put the files at `addresses` into `library`, including all below folders; a document's uri is its address.

    Raises RequestError for another kind of address, NotFoundError if nothing is there, LibraryError if a needed package
    isn't installed. A file that can't be fetched is a failure in the report.
    """
    report = IngestReport()
    for address in map(checked_address, addresses):
        with _translated(address):
            filesystem, files, skipped = _found(address)
        names = tuple(skipped[:SKIPPED_NAMES])
        report += IngestReport(skipped=names, skipped_count=len(skipped))
        for portion in _portions(files):
            with tempfile.TemporaryDirectory(prefix="attest-remote-") as folder:
                here, failed = _fetched(filesystem, portion, Path(folder))
                report += IngestReport(failed=failed)
                if here:
                    made = ingest_paths(
                        library,
                        [folder],
                        progress=progress,
                        uri_of=lambda path, here=here: here[path.name],  # type: ignore[misc]
                        collection=collection,
                        parse_all=parse_all,
                    )
                    report += _renamed(made, here)
    return report


def checked_address(address: str) -> str:
    """Return a readable address. Raises RequestError."""
    parts = urlsplit(address)
    if parts.scheme not in WEB | STORES:
        raise RequestError(
            "{scheme}:// can't be read: use s3://, gs://, https://, or a path of this machine.",
            code="remote_scheme",
            scheme=parts.scheme,
        )
    if parts.username or parts.password:
        raise RequestError(
            "An address with a name or a password in it isn't read: documents keep their address.",
            code="remote_credentials",
        )
    if not parts.netloc:
        raise RequestError(
            "{address} is no whole address: write it as https://example.org/paper.pdf or s3://bucket/path.",
            code="remote_incomplete",
            address=address,
        )
    return address


def _found(address: str) -> tuple[Any, list[RemoteFile], list[str]]:
    """Return a filesystem, the readable files at and below an address, and the names of the others."""
    scheme = urlsplit(address).scheme
    filesystem = _filesystem(scheme)
    if scheme in WEB:
        about = filesystem.info(address)
        name = _web_name(address, about.get("mimetype") or "")
        return filesystem, [RemoteFile(address, name, about.get("size") or 0)], []
    found = filesystem.find(address, detail=True)
    if list(found) == [address]:  # a single file, which obstore's listing doesn't describe
        found = {address: filesystem.info(address)}
    if not found:
        raise _nothing_at(address)
    files, skipped = [], []
    for path, about in sorted(found.items()):
        name = PurePosixPath(path).name
        if about.get("type") != "file" or any(part.startswith(".") for part in PurePosixPath(path).parts):
            continue
        if name == SOURCES_FILE or PurePosixPath(name).suffix.lower() in SUFFIXES:
            files.append(RemoteFile(filesystem.unstrip_protocol(path), name, about.get("size") or 0))
        else:
            skipped.append(filesystem.unstrip_protocol(path))
    return filesystem, files, skipped


def _filesystem(scheme: str) -> Any:  # noqa: ANN401 - fsspec has no types
    import aiohttp
    import fsspec

    if scheme in CLOUD:
        return _cloud_filesystem(CLOUD[scheme])
    if scheme in WEB:
        timeout = aiohttp.ClientTimeout(total=MAX_SECONDS, sock_connect=10, sock_read=60)
        return fsspec.filesystem(scheme, client_kwargs={"timeout": timeout})
    return fsspec.filesystem(scheme)


def _cloud_filesystem(protocol: str) -> Any:  # noqa: ANN401 - fsspec has no types
    """Return a filesystem with the environment's credentials and endpoint. Raises LibraryError."""
    try:
        from obstore.fsspec import FsspecStore
    except ImportError as error:
        raise LibraryError(
            "{protocol}:// needs obstore, which isn't installed beside Attest: run `pip install 'attest[cloud]'`.",
            code="remote_driver",
            protocol=protocol,
        ) from error
    endpoint = os.environ.get(_ENDPOINTS[protocol], "")
    made: Any = FsspecStore  # its overloads leave out what fsspec itself accepts
    return made(
        protocol,
        client_options={
            "timeout": f"{MAX_SECONDS:.0f}s",
            "connect_timeout": "10s",
            "allow_http": endpoint.startswith("http://"),  # your own server, named by the environment
        },
        retry_config={"max_retries": 3},
        skip_instance_cache=True,  # a cached one would keep the old credentials
    )


def _portions(files: Sequence[RemoteFile]) -> Iterator[list[RemoteFile]]:
    """Yield the files folder by folder, in portions that may be on the disk at once, with the folder's sources.yaml."""
    for _, group in groupby(files, key=lambda file: file.address.rpartition("/")[0]):
        members = list(group)
        about = [file for file in members if file.name == SOURCES_FILE]
        portion: list[RemoteFile] = []
        for file in members:
            if file.name == SOURCES_FILE:
                continue
            if portion and sum(each.size for each in portion) + file.size > MAX_PORTION_BYTES:
                yield [*about, *portion]
                portion = []
            portion.append(file)
        if portion:
            yield [*about, *portion]


def _fetched(filesystem: Any, files: list[RemoteFile], folder: Path) -> tuple[dict[str, str], tuple[Failure, ...]]:  # noqa: ANN401
    """Fetch files into `folder`; return their addresses by name, and those that could not be fetched."""
    here: dict[str, str] = {}
    failed: list[Failure] = []
    for file in files:
        try:
            with _translated(file.address):
                _fetch(filesystem, file, folder / file.name)
        except AttestError as error:
            (folder / file.name).unlink(missing_ok=True)
            failed.append(Failure(file.address, str(error), error))
        else:
            here[file.name] = file.address
    return here, tuple(failed)


def _fetch(filesystem: Any, file: RemoteFile, target: Path) -> None:  # noqa: ANN401 - fsspec has no types
    reader = BY_SUFFIX.get(target.suffix.lower())
    limit = reader.max_bytes if reader else PIECE
    deadline = time.monotonic() + MAX_SECONDS
    options = {"block_size": 0} if urlsplit(file.address).scheme in WEB else {}
    size = 0
    with filesystem.open(file.address, "rb", **options) as source, target.open("wb") as copy:
        while piece := _piece(source):
            size += len(piece)
            if size > limit:
                raise ReadError(
                    "This file is longer than {limit} MB, which is the limit.",
                    code="remote_long",
                    limit=str(limit // 2**20),
                )
            if time.monotonic() > deadline:
                raise TimeoutError
            copy.write(piece)


def _piece(source: BinaryIO) -> bytes:
    return source.read(PIECE)


def _web_name(address: str, media_type: str) -> str:
    """Return a file name with the suffix of the media type, or of the address if that says little."""
    last = PurePosixPath(unquote(urlsplit(address).path)).name or "page"
    kind = media_type.split(";", maxsplit=1)[0].strip().lower()
    own = PurePosixPath(last).suffix.lower()
    suffix = own if kind in _SAY_NOTHING else _SUFFIXES.get(kind, "")
    if kind == "text/plain" and suffix not in SUFFIXES:
        suffix = ".txt"
    if suffix not in SUFFIXES:
        if not kind:
            raise RequestError(
                "{address} is of no known kind, so it can't be read.", code="remote_no_kind", address=address
            )
        raise RequestError("{address} is {kind}, which can't be read.", code="remote_kind", address=address, kind=kind)
    stem = PurePosixPath(last).stem if own in SUFFIXES else last
    return f"{stem.lstrip('.')[:100] or 'page'}{suffix}"


def _renamed(report: IngestReport, here: dict[str, str]) -> IngestReport:
    """Return the report with addresses instead of temporary paths."""

    def named(files: tuple[Failure, ...]) -> tuple[Failure, ...]:
        return tuple(replace(each, path=here.get(Path(each.path).name, each.path)) for each in files)

    return replace(report, failed=named(report.failed), flagged=named(report.flagged), partial=named(report.partial))


@contextmanager
def _translated(address: str) -> Iterator[None]:
    """Raise network errors as one sentence. Raises NotFoundError, ReadError."""
    try:
        yield
    except AttestError:
        raise
    except FileNotFoundError as error:
        raise _nothing_at(address) from error
    except (PermissionError, TimeoutError) as error:
        if isinstance(error, PermissionError):
            raise ReadError(
                "{address} can't be read: it needs other credentials.", code="remote_denied", address=address
            ) from error
        raise ReadError("{address} can't be read: it took too long.", code="remote_slow", address=address) from error
    except Exception as error:  # each filesystem has its own errors
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].partition(": <")[0].rstrip(".")
        if reason.endswith("404 Not Found"):  # no such bucket
            raise _nothing_at(address) from error
        raise ReadError(
            "{address} can't be read: {reason}.", code="remote_unread", address=address, reason=reason
        ) from error


def _nothing_at(address: str) -> NotFoundError:
    return NotFoundError("There is nothing at {address}: check its spelling.", code="remote_nothing", address=address)
