"""Files at addresses: read by the command, bounded, and kept under their address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from click.testing import CliRunner

from assistant.cli import attest
from ingest import remote
from ingest.remote import checked_address, ingest_addresses
from store.errors import LibraryError, NotFoundError, RequestError
from store.library import Library
from tests.store.building import HashingEmbedder

TEXTS = {
    "en.txt": "The forum opened in Beijing.",
    "th.md": "# ฟอรัม\n\nฟอรัมเปิดขึ้นที่ปักกิ่ง",
    "folder/vi.txt": "Diễn đàn khai mạc tại Bắc Kinh.",
    "folder/sources.yaml": "- file: vi.txt\n  speaker: UN\n",
    "folder/film.mp4": "no text",
    ".hidden/secret.txt": "Nobody should read this.",
}


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {"": "text/html", ".md": "text/markdown"}

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        yield library


@pytest.fixture
def memory() -> Iterator[str]:
    filesystem = fsspec.filesystem("memory")
    for name, text in TEXTS.items():
        filesystem.pipe(f"/bucket/{name}", text.encode())
    yield "memory://bucket"
    filesystem.rm("/bucket", recursive=True)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "page").write_text("<html><title>A page</title><p>The page says so.</p></html>", encoding="utf-8")
    (folder / "th.txt").write_text(TEXTS["th.md"], encoding="utf-8")
    (folder / "film.mp4").write_bytes(b"\0" * 10)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def uris(library: Library) -> list[str]:
    return [document.uri for document in library.documents().documents]


def test_all_below_an_address_is_read_and_keeps_its_address(library: Library, memory: str) -> None:
    report = ingest_addresses(library, [memory])
    assert (report.added, report.failed, report.skipped_count) == (3, (), 1)
    assert uris(library) == [f"memory:///bucket/{name}" for name in ("en.txt", "folder/vi.txt", "th.md")]
    document = library.find_document("memory:///bucket/folder/vi.txt")
    assert document is not None
    assert document.speaker == "UN"
    assert ingest_addresses(library, [memory]).unchanged == 3
    assert library.search("Diễn đàn khai mạc", 1).hits[0].document == document


def test_a_web_page_is_read_as_what_its_server_says_it_is(library: Library, site: str) -> None:
    report = ingest_addresses(library, [f"{site}/page", f"{site}/th.txt"])
    assert (report.added, report.failed) == (2, ())
    page = library.find_document(f"{site}/page")
    assert page is not None
    assert (page.title, page.media_type) == ("A page", "text/html")


def test_what_is_not_there_or_no_text_is_told(library: Library, site: str, memory: str) -> None:
    with pytest.raises(NotFoundError, match="nothing at"):
        ingest_addresses(library, [f"{site}/gone.txt"])
    with pytest.raises(NotFoundError, match="nothing at"):
        ingest_addresses(library, [f"{memory}/nowhere"])
    with pytest.raises(RequestError, match=r"video/mp4, which can't be read"):
        ingest_addresses(library, [f"{site}/film.mp4"])


def test_a_file_over_the_limit_fails_alone(library: Library, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PIECE", 2**16)
    fsspec.filesystem("memory").pipe("/bucket/large.txt", b"word " * (7 * 2**20))
    report = ingest_addresses(library, [memory])
    assert report.added == 3
    assert [failure.path for failure in report.failed] == ["memory:///bucket/large.txt"]
    assert report.failed[0].error == "This file is longer than 32 MB, which is the limit."


def test_only_so_much_lies_on_the_disk_at_once(library: Library, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_PORTION_BYTES", 1)
    assert ingest_addresses(library, [memory]).added == 3


def test_a_file_that_can_t_be_read_is_named_by_its_address(library: Library, memory: str) -> None:
    fsspec.filesystem("memory").pipe("/bucket/empty.txt", b"")
    report = ingest_addresses(library, [memory])
    assert [failure.path for failure in report.failed] == ["memory:///bucket/empty.txt"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("ftp://host/file", "ftp:// can't be read"),
        ("file:///etc/passwd", "file:// can't be read"),
        ("https://lan:secret@host/x", "a password in it"),
        ("https://", "no whole address"),
    ],
)
def test_other_addresses_are_refused(wrong: str, said: str) -> None:
    with pytest.raises(RequestError, match=said) as caught:
        checked_address(wrong)
    assert "secret" not in str(caught.value)


def test_what_is_not_installed_is_named(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("s3fs", "gcsfs"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    for address, package in (("s3://bucket/x", "s3fs"), ("gs://bucket/x", "gcsfs")):
        with pytest.raises(LibraryError, match=f"run `pip install {package}`"):
            ingest_addresses(library, [address])


def test_sync_is_for_folders(tmp_path: Path) -> None:
    done = CliRunner().invoke(attest, ["--home", str(tmp_path), "ingest", "--sync", "https://example.org/a.pdf"])
    assert done.exit_code == 2
    assert "not addresses" in done.output
