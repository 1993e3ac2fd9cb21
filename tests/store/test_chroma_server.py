"""Vectors on a Chroma server give the same answers as in the process, and nothing is lost when it fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import chromadb
import pytest
from chromadb.config import Settings as ChromaSettings

from store.doctor import checks as health
from store.errors import IndexDamagedError, LibraryError, SettingsError
from store.index import chroma_server
from store.library import Library
from store.settings import Settings, load_settings
from store.types import Filter
from tests.servers import ChromaProcess, Line, chroma_running, line_to
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, found, many, parsed

server = pytest.mark.server
SCRIPTED = [parsed(tag, *texts, language=tag[:2]) for tag, texts in SCRIPTS.items()]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaProcess]:
    with chroma_running(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def url(running: ChromaProcess) -> str:
    return running.url


@pytest.fixture
def line(running: ChromaProcess) -> Iterator[Line]:
    with line_to(running.port) as line:
        yield line


@contextmanager
def impatience(*, open_seconds: float = 0.0) -> Iterator[None]:
    """Give up soon, and keep later questions away for so long; only around what is to fail, however slow a machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chroma_server, "READ_SECONDS", 1.0)
        patch.setattr(chroma_server, "WRITE_SECONDS", 1.0)
        patch.setattr(chroma_server, "OPEN_SECONDS", open_seconds)
        yield


def opened(where: Settings, *, read_only: bool = False) -> Library:
    return Library.open(where, embedder=HashingEmbedder(), read_only=read_only)


def assert_answers(library: Library) -> None:
    for texts in SCRIPTS.values():
        assert found(library, texts[0], 1) == [texts[0]]


def test_a_library_can_keep_its_vectors_on_a_server(url: str, tmp_path: Path) -> None:
    settings = load_settings(tmp_path, chroma_url=url)
    with opened(settings) as library:
        add(library, *many(20), *SCRIPTED)
        assert_answers(library)
        assert {hit.document.uri for hit in library.search("forum", 5, Filter(languages=("th",))).hits} == {"th"}
        with opened(settings, read_only=True) as reader:
            assert found(reader, SCRIPTS["th"][0], 1) == [SCRIPTS["th"][0]]
        document = library.find_document("zh")
        assert document is not None
        library.remove(document.id)
        library.rebuild()
        assert health.check(library) == []
    assert not list((tmp_path / "derived").glob("vectors-*")), "the vectors belong on the server alone"
    with opened(settings) as library:
        assert found(library, SCRIPTS["th"][0], 1) == [SCRIPTS["th"][0]]


@server
def test_two_libraries_share_a_server(url: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        with opened(load_settings(tmp_path / name, chroma_url=url)) as library:
            add(library, parsed("x", f"Only in {name}."))
    for name in ("a", "b"):
        with opened(load_settings(tmp_path / name, chroma_url=url)) as library:
            library.rebuild()
            assert found(library, "Only", 10) == [f"Only in {name}."]
            assert health.check(library) == []


@server
def test_a_server_and_the_process_hold_the_same_and_answer_the_same(url: str, tmp_path: Path) -> None:
    held, hits = [], []
    for name, flags in (("embedded", {}), ("server", {"chroma_url": url})):
        with opened(load_settings(tmp_path / name, **flags)) as library:
            add(library, *many(60), *SCRIPTED)
            held.append(contents(library))
            hits.append([library.search(texts[0], 5).hits for texts in SCRIPTS.values()])
    assert held[0] == held[1]
    for ours, theirs in zip(*hits, strict=True):
        assert [hit.passage.id for hit in ours] == [hit.passage.id for hit in theirs]
        assert [hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs], abs=1e-5)


@server
def test_what_is_on_no_server_is_written_there_by_a_rebuild(url: str, tmp_path: Path) -> None:
    with opened(load_settings(tmp_path)) as library:
        add(library, *SCRIPTED)
    settings = load_settings(tmp_path, chroma_url=url)
    with opened(settings) as library:
        with pytest.raises(IndexDamagedError, match="attest rebuild"):
            library.search("forum")
        library.rebuild()
        assert_answers(library)
    with opened(load_settings(tmp_path)) as library:  # and back
        library.rebuild()
        assert_answers(library)


@pytest.mark.parametrize("wrong", ["chroma.example", "ftp://127.0.0.1", "http://", "http://h:port"])
def test_what_is_no_address_of_a_server_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"chroma_url .* must look like http://host:8000"):
        load_settings(tmp_path, chroma_url=wrong)


def test_a_server_that_isn_t_there_is_named_in_one_sentence(tmp_path: Path) -> None:
    with impatience(), opened(load_settings(tmp_path, chroma_url="http://127.0.0.1:9")) as library:
        with pytest.raises(LibraryError) as caught:
            add(library, parsed("x", "One."))
        assert caught.value.code == "vectors_unreachable"
        assert str(caught.value).startswith("The Chroma server at http://127.0.0.1:9 doesn't answer (")
        assert "\n" not in str(caught.value)


@server
@pytest.mark.parametrize("flag", ["chroma_tenant", "chroma_database"])
def test_a_database_that_the_server_lacks_is_named(url: str, tmp_path: Path, flag: str) -> None:
    settings = load_settings(tmp_path, chroma_url=url, **{flag: "elsewhere"})
    with opened(settings) as library, pytest.raises(LibraryError, match=r"no database .*elsewhere.*chroma_database"):
        add(library, parsed("x", "One."))


@server
def test_a_tenant_and_a_database_are_used(url: str, tmp_path: Path) -> None:
    admin = chromadb.AdminClient(
        ChromaSettings(
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=url,
            chroma_server_http_port=int(url.rpartition(":")[2]),
            anonymized_telemetry=False,
        )
    )
    admin.create_tenant("library")
    admin.create_database("second", "library")
    settings = load_settings(tmp_path, chroma_url=url, chroma_tenant="library", chroma_database="second")
    with opened(settings) as library:
        add(library, *SCRIPTED)
        assert_answers(library)
        assert health.check(library) == []


@server
def test_the_token_goes_to_the_server_and_into_no_error(line: Line, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-t0ken\n")
    settings = load_settings(tmp_path / "home", chroma_url=line.url, chroma_token_file=tmp_path / "token")
    with opened(settings) as library:
        add(library, *SCRIPTED)
        assert_answers(library)
        requests = line.asked.lower().count(b" http/1.1\r\n")
        assert line.asked.lower().count(b"x-chroma-token: s3cret-t0ken") == requests
        assert line.asked.lower().count(b"authorization: bearer s3cret-t0ken") == requests
    assert "s3cret" not in repr(settings)


@server
@pytest.mark.parametrize("content", [None, "", "two\nlines", "ไทย"])
def test_a_file_that_holds_no_token_is_named(url: str, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "token").write_text(content, encoding="utf-8")
    settings = load_settings(tmp_path / "home", chroma_url=url, chroma_token_file=tmp_path / "token")
    with opened(settings) as library, pytest.raises(SettingsError, match="chroma_token_file"):
        add(library, parsed("x", "One."))


@server
def test_a_refused_token_is_told_at_once(tmp_path: Path) -> None:
    class Refusing(BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self) -> None:
            Refusing.asked += 1
            self.send_error(401)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = load_settings(tmp_path, chroma_url=f"http://127.0.0.1:{server.server_port}")
        with opened(settings) as library, pytest.raises(LibraryError, match=r"refuses the token.*chroma_token_file"):
            add(library, parsed("x", "One."))
        server.shutdown()
    assert Refusing.asked == 1


@server
def test_rows_are_written_in_batches_that_the_server_takes(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma_server, "ROWS", 7)
    with opened(load_settings(tmp_path, chroma_url=url)) as library:
        add(library, *many(20), *SCRIPTED)
        assert_answers(library)
        assert health.check(library) == []


def test_connections_that_are_cut_are_made_again(line: Line, tmp_path: Path) -> None:
    with opened(load_settings(tmp_path, chroma_url=line.url)) as library:
        line.cuts = 2
        add(library, *SCRIPTED)
        for _ in range(3):
            line.cuts = 2
            assert_answers(library)
        assert health.check(library) == []


@server
def test_a_slow_server_is_waited_for(line: Line, tmp_path: Path) -> None:
    line.delay = 0.2
    with opened(load_settings(tmp_path, chroma_url=line.url)) as library:
        add(library, *SCRIPTED)
        assert found(library, SCRIPTS["vi-nfd"][0], 1) == [SCRIPTS["vi-nfd"][0]]


def test_a_server_that_goes_silent_is_given_up_and_asked_again_later(line: Line, tmp_path: Path) -> None:
    with opened(load_settings(tmp_path, chroma_url=line.url)) as library:
        add(library, *SCRIPTED)
        line.silent = True
        with impatience(), pytest.raises(LibraryError, match="it takes too long"):
            library.search("forum")
        line.silent = False
        assert_answers(library)


@server
def test_one_question_waits_for_a_server_that_is_gone_and_the_next_ones_don_t(line: Line, tmp_path: Path) -> None:
    with opened(load_settings(tmp_path, chroma_url=line.url)) as library:
        add(library, *SCRIPTED)
        line.silent = True
        with impatience(open_seconds=3600.0):
            with pytest.raises(LibraryError) as first:
                library.search("forum")
            asked = len(line.asked)
            with pytest.raises(LibraryError) as second:
                library.search("forum")
        assert str(first.value) == str(second.value)
        assert len(line.asked) == asked


@server
def test_a_server_that_is_killed_and_started_while_documents_come_in_loses_none(tmp_path: Path) -> None:
    with chroma_running(tmp_path / "chroma") as server:
        settings = load_settings(tmp_path / "home", chroma_url=server.url)
        with opened(settings) as library:
            for number, _ in enumerate(library.add_many(many(900, passages=3))):
                if number in {1, 500}:
                    server.kill()
                    threading.Timer(0.5, server.start).start()
            assert library.statistics().documents == 900
            assert health.check(library) == []


@server
def test_documents_that_a_dead_server_refused_can_be_added_when_it_is_back(tmp_path: Path) -> None:
    with chroma_running(tmp_path / "chroma") as server:
        settings = load_settings(tmp_path / "home", chroma_url=server.url)
        with opened(settings) as library:
            add(library, *many(5))
            server.kill()
            with impatience():
                with pytest.raises(LibraryError, match="Nothing is lost"):
                    add(library, *SCRIPTED)
                assert library.statistics().documents == 5, "half a document must not be seen"
                with pytest.raises(LibraryError, match="Nothing is lost"):
                    library.search("forum")
            server.start()
            assert found(library, "Finding 2 of report 3", 1)
            add(library, *SCRIPTED)
            assert_answers(library)
            assert health.check(library) == []


def _collection(url: str, library: Library) -> chromadb.Collection:
    client = chromadb.HttpClient(url, int(url.rpartition(":")[2]))
    with library.snapshot() as snapshot:
        prefix = f"attest-{snapshot.value('id')}-"
    (name,) = (each.name for each in client.list_collections() if each.name.startswith(prefix))
    return client.get_collection(name, embedding_function=None)


@server
def test_rows_that_a_server_lost_are_found_and_written_again(url: str, tmp_path: Path) -> None:
    settings = load_settings(tmp_path, chroma_url=url)
    with opened(settings) as library:
        add(library, *many(200), *SCRIPTED)
        before = contents(library)
        lost = library.passages(library.documents().documents[3].id)
        _collection(url, library).delete(ids=[passage.id for passage in lost])
        findings = health.check(library)
        assert {finding.fix for finding in findings} == {"refill"}
        assert any(f"{len(lost)} passages of the library aren't in it" in each.message for each in findings)
        assert "`attest doctor --fix`" in findings[0].message
        assert health.repair(library, findings) == [f"Wrote {len(lost)} lost vectors to the Chroma server."]
        assert health.check(library) == []
        assert contents(library) == before


@server
def test_a_server_that_lost_everything_is_filled_again(tmp_path: Path) -> None:
    with chroma_running(tmp_path / "chroma") as server, chroma_running(tmp_path / "empty") as other:
        with opened(load_settings(tmp_path / "home", chroma_url=server.url)) as library:
            add(library, *many(20), *SCRIPTED)
        with opened(load_settings(tmp_path / "home", chroma_url=other.url)) as library:
            findings = health.check(library)
            assert [finding.fix for finding in findings] == ["rebuild"]
            health.repair(library, findings)
            assert health.check(library) == []
            assert_answers(library)


@server
def test_a_reader_goes_over_to_vectors_that_were_rebuilt_meanwhile(url: str, tmp_path: Path) -> None:
    settings = load_settings(tmp_path, chroma_url=url)
    with opened(settings) as library:
        add(library, *SCRIPTED)
        with opened(settings, read_only=True) as reader:
            assert_answers(reader)
            library.rebuild()
            assert_answers(reader)
            _collection(url, library).delete(where={"language": "th"})
            add(library, *many(3))
            assert found(reader, "Finding 2 of report 1", 1)
