"""Language models are found, installed and reached, or an error says why not."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from llama_index.core.llms import ChatMessage

from assistant.answer.written_answer import Written, write
from assistant.llm.base import counter_of, stream_text
from assistant.llm.cli import models
from assistant.llm.endpoint import endpoint
from assistant.llm.gguf import GgufLLM
from assistant.llm.install import PackagedModel, download, find_installed, install
from assistant.llm.registry import choose, find_models, is_there, load_model, served_models
from store.errors import LanguageModelError
from store.settings import Settings, load_settings
from tests.assistant.quotes import quote

CONTENT = bytes(range(256)) * 10
SMALL = PackagedModel(
    title="A model",
    license="MIT",
    file_name="tiny.gguf",
    package="attest-test-part{number}",
    version="1.0",
    parts=3,
    part_size=1000,
    size=2560,
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)
ASK = [ChatMessage(role="user", content="Say something.")]


def wheel(folder: Path, number: int, content: bytes | None = None) -> Path:
    """A real wheel with one slice, as pip would download it."""
    name = f"attest_test_part{number}"
    slice_ = CONTENT[(number - 1) * 1000 : number * 1000] if content is None else content
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/data/part{number:02}.bin", slice_)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: attest-test-part{number}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def fetch(package: str, version: str, folder: Path) -> Path:
    return wheel(folder, int(package[-1]))


# Installing ---------------------------------------------------------------------------------------------------


def test_the_parts_are_put_together_and_checked(tmp_path: Path) -> None:
    seen: list[int] = []
    path = install(SMALL, tmp_path, progress=lambda done, _: seen.append(done), fetch=fetch)
    assert path.read_bytes() == CONTENT
    assert seen == [0, 1000, 2000, 2560]
    assert find_installed(SMALL, tmp_path) == path
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tiny.gguf", "tiny.gguf.lock"]


def test_pip_really_fetches_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.mkdir()
    for number in (1, 2, 3):
        wheel(editor, number)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(editor))
    assert install(SMALL, tmp_path / "models").read_bytes() == CONTENT


def test_a_part_that_can_not_be_had_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(LanguageModelError, match="attest-test-part1 could not be downloaded"):
        download("attest-test-part1", "1.0", tmp_path)


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    fetched: list[str] = []

    def broken(package: str, version: str, folder: Path) -> Path:
        if package.endswith("3"):
            raise LanguageModelError("the network is gone")
        return fetch(package, version, folder)

    with pytest.raises(LanguageModelError, match="network"):
        install(SMALL, tmp_path, fetch=broken)
    assert find_installed(SMALL, tmp_path) is None

    def counted(package: str, version: str, folder: Path) -> Path:
        fetched.append(package)
        return fetch(package, version, folder)

    assert install(SMALL, tmp_path, fetch=counted).read_bytes() == CONTENT
    assert fetched == ["attest-test-part3"]


def test_a_file_with_the_wrong_hash_never_becomes_the_model(tmp_path: Path) -> None:
    def forged(package: str, version: str, folder: Path) -> Path:
        number = int(package[-1])
        return wheel(folder, number, b"x" * 1000) if number == 2 else fetch(package, version, folder)

    with pytest.raises(LanguageModelError, match="SHA-256"):
        install(SMALL, tmp_path, fetch=forged)
    assert not list(tmp_path.glob("*.gguf"))
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_package_without_its_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="does not hold the part"):
        install(SMALL, tmp_path, fetch=lambda package, version, folder: wheel(folder, 1, b"short"))


def test_a_damaged_package_is_refused(tmp_path: Path) -> None:
    def damaged(package: str, version: str, folder: Path) -> Path:
        path = fetch(package, version, folder)
        path.write_bytes(path.read_bytes()[:200])
        return path

    with pytest.raises(LanguageModelError, match="damaged"):
        install(SMALL, tmp_path, fetch=damaged)


def test_too_little_space_is_told_before_anything_is_downloaded(tmp_path: Path) -> None:
    huge = replace(SMALL, size=10**18, part_size=10**17, parts=10)
    with pytest.raises(LanguageModelError, match="not enough space"):
        install(huge, tmp_path, fetch=lambda *_: pytest.fail("asked for a part"))


def test_a_second_installation_at_the_same_time_is_turned_away(tmp_path: Path) -> None:
    def meanwhile(package: str, version: str, folder: Path) -> Path:
        with pytest.raises(LanguageModelError, match="Another process"):
            install(SMALL, tmp_path, fetch=fetch)
        return fetch(package, version, folder)

    assert install(SMALL, tmp_path, fetch=meanwhile).read_bytes() == CONTENT


def test_what_is_there_already_is_not_fetched_again(tmp_path: Path) -> None:
    install(SMALL, tmp_path, fetch=fetch)
    assert install(SMALL, tmp_path, fetch=lambda *_: pytest.fail("fetched again")).is_file()


# Finding ------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("assistant.llm.registry.models_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("assistant.llm.registry.find_installed", lambda _: None)
    for name in ("ATTEST_MODEL", "ATTEST_BASE_URL", "ATTEST_API_KEY", "ATTEST_MODE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def settings(home: Path, **flags: object) -> Settings:
    return load_settings(home, **flags)


def test_without_any_model_there_is_none_and_no_error(home: Path) -> None:
    assert find_models(settings(home)) == []
    assert load_model(settings(home)) is None


def test_a_file_in_the_models_folder_is_found(home: Path) -> None:
    (home / "models").mkdir()
    (home / "models" / "own.gguf").write_bytes(b"GGUF")
    chosen = choose(settings(home))
    assert chosen is not None
    assert (chosen.kind, Path(chosen.name).name) == ("gguf", "own.gguf")
    assert isinstance(load_model(settings(home)), GgufLLM)
    assert load_model(settings(home, mode="quotes")) is None


def test_whether_a_model_is_there_is_said_without_asking_anybody(home: Path) -> None:
    assert not is_there(settings(home))
    assert is_there(settings(home, base_url="http://127.0.0.1:9/v1"))
    (home / "models").mkdir()
    (home / "models" / "own.gguf").write_bytes(b"GGUF")
    assert is_there(settings(home))


def test_a_model_that_is_named_but_missing_is_an_error(home: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"none\.gguf"):
        load_model(settings(home, model=str(home / "none.gguf")))
    (home / "empty").mkdir()
    with pytest.raises(LanguageModelError, match="could be loaded from"):
        load_model(settings(home, model=str(home / "empty")))


def test_an_endpoint_that_is_down_is_an_error_that_names_it(home: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"127\.0\.0\.1:1/v1 can't be reached"):
        load_model(settings(home, base_url="http://127.0.0.1:1/v1"))


def test_the_list_says_what_would_be_used(home: Path) -> None:
    (home / "models").mkdir()
    (home / "models" / "own.gguf").write_bytes(b"GGUF")
    shown = CliRunner().invoke(models, ["list", "--json"], obj=settings(home))
    assert shown.exit_code == 0, shown.output
    assert [each["used"] for each in json.loads(shown.output)["models"]] == [True]
    assert "quotes" in CliRunner().invoke(models, ["list"], obj=settings(home / "other")).output


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "page.gguf"
    path.write_text("<html>")
    with pytest.raises(LanguageModelError, match="not a GGUF file"):
        GgufLLM(path=str(path)).load()


# Endpoints ----------------------------------------------------------------------------------------------------


ASKED = threading.Event()
"""Set when a model that waits has been asked."""
GONE = threading.Event()
"""Set when the client of a model that waits has closed the connection."""
SAID = {
    "silent": [],
    "nonsense": ["}]}", "\ufffd\ufffd [12", "] <|im_end|> 7 7", "\n[[["],
    "repeats": ["Malaysia abstained [1]. ", *["Malaysia abstained [1]. "] * 2000],
    "circles": ["Malaysia abstained [1]. It was ", *["so and then "] * 2000],
    "floods": ["word and more of it " * 3000] * 300,
}
"""What a model of that name says."""


class Failing(BaseHTTPRequestHandler):
    """An endpoint that goes wrong in the way that the model's name says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == "Bearer wrong":
            self.send_error(401)
            return
        body = json.dumps({"object": "list", "data": [{"id": "one"}, {"id": "two"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = request["model"]
        if kind.isdigit():
            self.send_response(int(kind))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            return
        if kind == "hangs":
            time.sleep(30)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if kind == "waits":
            # Nothing more is sent; the client's end of the connection tells when it has gone.
            ASKED.set()
            self.connection.settimeout(120)
            with suppress(OSError):
                if self.connection.recv(1) == b"":
                    GONE.set()
            self.close_connection = True
            return
        for word in SAID.get(kind, ["Malaysia ", "abstained", " [1]."]):
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": kind}
            chunk["choices"] = [{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}]
            self._chunk(f"data: {json.dumps(chunk)}\n\n".encode())
            if kind == "cuts":
                self.connection.close()
                return
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def failing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # Clients leave on purpose.
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def patience(model: str) -> float:
    """Seconds to wait for this model: so few only for the one that never answers."""
    return 0.5 if model == "hangs" else 120


def test_an_endpoint_streams(failing: str) -> None:
    assert "".join(stream_text(endpoint(failing, "works"), ASK)) == "Malaysia abstained [1]."


def test_an_endpoint_that_says_nothing_gives_no_text(failing: str) -> None:
    assert "".join(stream_text(endpoint(failing, "silent"), ASK)) == ""


@pytest.mark.parametrize(
    ("model", "says", "temporary"),
    [
        ("401", "ATTEST_API_KEY", False),
        ("404", "no such model", False),
        ("429", "busy", True),
        ("500", "status 500", True),
        ("hangs", "in time", False),
        ("cuts", "broke off|can't be reached", None),
    ],
)
def test_each_failure_is_one_clear_sentence(failing: str, model: str, says: str, temporary: bool | None) -> None:
    with pytest.raises(LanguageModelError, match=says) as caught:
        list(stream_text(endpoint(failing, model, timeout=patience(model)), ASK))
    assert temporary is None or caught.value.is_temporary == temporary


def test_an_endpoint_that_is_down_may_come_back() -> None:
    with pytest.raises(LanguageModelError, match="can't be reached") as caught:
        list(stream_text(endpoint("http://127.0.0.1:1/v1", "any"), ASK))
    assert caught.value.is_temporary


def test_an_endpoint_lists_its_models(failing: str, home: Path) -> None:
    assert served_models(failing) == ("one", "two")
    assert [each.name for each in find_models(settings(home, base_url=failing))] == ["one", "two"]
    with pytest.raises(LanguageModelError, match="refused the key"):
        served_models(failing, "wrong")
    with pytest.raises(LanguageModelError, match="http"):
        served_models("file:///etc/passwd")


def test_leaving_a_silent_endpoint_closes_the_connection(failing: str) -> None:
    ASKED.clear()
    GONE.clear()
    pieces = stream_text(endpoint(failing, "waits", timeout=120), ASK)
    # The first pieces may come before the endpoint was asked: only then is there a connection to close.
    while not ASKED.is_set():
        assert next(pieces) == ""
    pieces.close()  # type: ignore[attr-defined]
    assert GONE.wait(900)


EVIDENCE = (quote(1, "Indonesia voted against the debate, while Malaysia abstained."),)


@pytest.mark.parametrize(
    ("model", "outcome", "text", "told"),
    [
        ("works", "written", "Malaysia abstained [1].", None),
        ("silent", "abstained", "", None),
        ("nonsense", "nothing_left", "", None),
        ("repeats", "written", "Malaysia abstained [1].", None),
        ("circles", "written", "Malaysia abstained [1].", None),
        ("floods", "abstained", "", None),
        ("cuts", "failed", "", "broke off|can't be reached"),
        ("hangs", "failed", "", "in time"),
        ("401", "failed", "", "ATTEST_API_KEY"),
        ("429", "failed", "", "busy"),
        ("500", "failed", "", "status 500"),
    ],
)
def test_whatever_an_endpoint_does_the_writing_ends_and_says_how(
    failing: str, model: str, outcome: str, text: str, told: str | None
) -> None:
    llm = endpoint(failing, model, timeout=patience(model))
    pauses: list[float] = []
    *_, written = write("Who abstained?", EVIDENCE, "en", llm, pause=pauses.append)
    assert isinstance(written, Written)
    assert (written.outcome, written.text) == (outcome, text)
    assert re.search(told, str(written.problem or "")) if told else written.problem is None
    assert pauses == ([0.5, 1.0] if model in ("429", "500") else [])


def test_an_endpoint_that_is_gone_is_asked_three_times_and_given_up() -> None:
    pauses: list[float] = []
    *_, written = write("Who?", EVIDENCE, "en", endpoint("http://127.0.0.1:1/v1", "any"), pause=pauses.append)
    assert isinstance(written, Written)
    assert (written.outcome, pauses) == ("failed", [0.5, 1.0])
    assert "can't be reached" in str(written.problem)


def test_tokens_are_counted_without_a_network(failing: str) -> None:
    assert counter_of(endpoint(failing, "works"))("hello สวัสดี") == 8
