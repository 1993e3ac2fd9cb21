"""Files at addresses are read by the command, within limits, and stored under their address."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from click.testing import CliRunner

from assistant.cli import attest
from ingest import remote
from ingest.remote import checked_address, ingest_addresses
from store.errors import LibraryError, NotFoundError, ReadError, RequestError
from store.library import Library
from tests.servers import free_port
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
    monkeypatch.setitem(sys.modules, "obstore.fsspec", None)
    for address in ("s3://bucket/x", "gs://bucket/x"):
        with pytest.raises(LibraryError, match=r"run `pip install 'attest\[cloud\]'`"):
            ingest_addresses(library, [address])


ENVIRONMENT = {
    "s3": {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": "us-east-1",
    },
    "gs": {"GOOGLE_BASE_URL": "http://127.0.0.1:{port}", "GOOGLE_SKIP_SIGNATURE": "true"},
}


@pytest.fixture(params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a real S3 server, which takes any credentials. Google's store speaks the same XML as Amazon's."""
    for name, text in TEXTS.items():
        path = tmp_path / "buckets" / "bucket" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "localbucket", str(tmp_path / "buckets"), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, value in ENVIRONMENT[request.param].items():
        monkeypatch.setenv(name, value.format(port=port))
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        assert server.poll() is None, "the server ended"
        time.sleep(0.05)
    yield f"{request.param}://bucket"
    server.kill()
    server.wait()


def test_a_bucket_is_read_below_its_address(library: Library, bucket: str) -> None:
    report = ingest_addresses(library, [bucket])
    assert (report.added, report.failed) == (3, ())
    assert report.skipped == (f"{bucket}/folder/film.mp4",)
    documents = {document.uri: document for document in library.documents().documents}
    assert set(documents) == {f"{bucket}/en.txt", f"{bucket}/th.md", f"{bucket}/folder/vi.txt"}
    assert documents[f"{bucket}/folder/vi.txt"].speaker == "UN"
    assert library.text(documents[f"{bucket}/folder/vi.txt"].id).strip() == TEXTS["folder/vi.txt"]
    assert ingest_addresses(library, [f"{bucket}/en.txt"]).unchanged == 1


def test_a_bucket_or_a_file_that_is_not_there_is_named(library: Library, bucket: str) -> None:
    scheme = bucket.partition(":")[0]
    for address in (f"{bucket}/nothing.txt", f"{scheme}://no-such-bucket/x"):
        with pytest.raises(NotFoundError, match=f"There is nothing at {address}"):
            ingest_addresses(library, [address])


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_a_store_that_does_not_answer_is_named(library: Library, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    for name, value in ENVIRONMENT[scheme].items():
        monkeypatch.setenv(name, value.format(port=free_port()))
    with pytest.raises(ReadError, match=rf"{scheme}://bucket/x can't be read"):
        ingest_addresses(library, [f"{scheme}://bucket/x"])


def test_sync_is_for_folders(tmp_path: Path) -> None:
    done = CliRunner().invoke(attest, ["--home", str(tmp_path), "ingest", "--sync", "https://example.org/a.pdf"])
    assert done.exit_code == 2
    assert "not addresses" in done.output
