"""Ingesting on Ray gives the same library as without it, whatever happens to its workers."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli import attest
from ingest.on_ray import Load, batches_by_length, ray_workers
from ingest.pipeline import SAMPLES, ingest_paths
from ingest.report import IngestReport
from store.embedding.embedder import Embedder, PassageText, PassageVectors
from store.embedding.weights import load_embedder
from store.errors import EmbeddingModelError, LibraryError, RequestError
from store.library import Library, Progress
from tests.store.building import HashingEmbedder, contents


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    words = {
        "en": "The forum opened in Beijing in {}. Two hundred delegates took part.",
        "th": "ฟอรัมเปิดขึ้นที่ปักกิ่งในปี {} มีผู้แทนสองร้อยคนเข้าร่วม",
        "vi": "Diễn đàn khai mạc tại Bắc Kinh năm {}. Hai trăm đại biểu đã tham dự.",
    }
    for language, sentence in words.items():
        for number in range(6):
            text = "\n\n".join(sentence.format(1900 + number * 10 + part) for part in range(number + 1))
            (folder / f"{language}-{number}.txt").write_text(text, encoding="utf-8")
    (folder / "empty.txt").touch()
    (folder / "sources.yaml").write_text("- file: th-1.txt\n  speaker: UN\n  title: A title\n", encoding="utf-8")
    return folder


class MortalEmbedder(HashingEmbedder):
    """Ends its process where it meets a word: once if it can leave a note, else each time."""

    def __init__(self, word: str, note: Path | None = None) -> None:
        super().__init__()
        self._word = word
        self._note = note
        self._home = os.getpid()

    def count_tokens(self, text: str) -> int:
        self._meet(text)
        return super().count_tokens(text)

    def embed_passages(self, passages: Sequence[PassageText], progress: Progress | None = None) -> list[PassageVectors]:
        if self._note is not None:
            for passage in passages:
                self._meet(passage.text)
        return super().embed_passages(passages, progress)

    def _meet(self, text: str) -> None:
        if self._word not in text or (self._note is not None and self._note.exists()):
            return
        if self._note is not None:
            self._note.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def ingest_on_ray(home: Path, files: Path, embedder: Embedder, load: Load) -> IngestReport:
    with (
        ray_workers("local", embedder, load, 200, processors=2) as workers,
        Library.open(home, embedder=workers.embedder) as library,
    ):
        return ingest_paths(library, [files], parse_all=workers.parse_all)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray isn't installed: make test-server does that.")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # on a busy machine Ray's polite workers never get a turn


@pytest.mark.server
@pytest.mark.usefixtures("ray")
def test_a_library_made_on_ray_is_the_one_made_here(files: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "here", embedder=HashingEmbedder()) as library:
        here = ingest_paths(library, [files])
        held = contents(library)
    there = ingest_on_ray(tmp_path / "there", files, HashingEmbedder(), partial(HashingEmbedder))
    assert here.added == 18
    assert (there.added, there.passages) == (here.added, here.passages)
    assert [(each.path, each.error) for each in there.failed] == [(each.path, each.error) for each in here.failed]
    with Library.open(tmp_path / "there", embedder=HashingEmbedder()) as library:
        assert contents(library) == held
        assert ingest_paths(library, [files]).unchanged == here.added


@pytest.mark.server
@pytest.mark.usefixtures("ray")
def test_a_worker_that_dies_is_replaced(files: Path, tmp_path: Path) -> None:
    note = tmp_path / "died"
    report = ingest_on_ray(
        tmp_path / "home", files, HashingEmbedder(), partial(MortalEmbedder, "Diễn đàn khai mạc", note)
    )
    assert note.exists()
    assert report.added == 18
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        assert library.search("Diễn đàn khai mạc tại Bắc Kinh năm 1950", 1).hits


@pytest.mark.server
@pytest.mark.usefixtures("ray")
def test_a_file_that_ends_every_worker_fails_alone(files: Path, tmp_path: Path) -> None:
    (files / "poison.txt").write_text("This word is poison to its reader.", encoding="utf-8")
    report = ingest_on_ray(tmp_path / "home", files, HashingEmbedder(), partial(MortalEmbedder, "poison"))
    assert report.added == 18
    assert {Path(failure.path).name for failure in report.failed} == {"empty.txt", "poison.txt"}


@pytest.mark.server
@pytest.mark.usefixtures("ray")
def test_another_model_on_a_worker_is_refused(files: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddingModelError, match="same version of Attest"):
        ingest_on_ray(tmp_path / "home", files, HashingEmbedder(), partial(HashingEmbedder, "another"))


@pytest.mark.server
@pytest.mark.usefixtures("ray")
def test_the_model_gives_the_same_vectors_there_but_for_rounding(tmp_path: Path) -> None:
    try:
        embedder = load_embedder()
    except EmbeddingModelError as error:
        pytest.skip(f"No embedding model here: {error}")
    files = tmp_path / "files"
    files.mkdir()
    for sample in sorted(SAMPLES.glob("vienna-1993.*")):
        (files / sample.name).write_bytes(sample.read_bytes())
    with Library.open(tmp_path / "here", embedder=embedder) as library:
        ingest_paths(library, [files])
    ingest_on_ray(tmp_path / "there", files, embedder, partial(load_embedder))
    made = []
    for name in ("here", "there"):
        with Library.open(tmp_path / name, embedder=embedder) as library, library.snapshot() as snapshot:
            run = snapshot.number("embedding")
            rows = list(snapshot.index_rows(snapshot.live_keys(0, 100), run))
            made.append({row.passage_id: row.vector for row in rows})
    assert made[0].keys() == made[1].keys()
    assert all(float(np.dot(vector, made[1][name])) > 0.99 for name, vector in made[0].items())


@pytest.mark.server
@pytest.mark.usefixtures("ray")
def test_a_cluster_that_isn_t_there_is_named() -> None:
    embedder = HashingEmbedder()
    with (
        pytest.raises(LibraryError, match=r"127.0.0.1:9 can't be reached"),
        ray_workers("127.0.0.1:9", embedder, partial(HashingEmbedder), 200),
    ):
        pass


def test_a_machine_outside_the_cluster_is_told_how_to_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster.") from RuntimeError("No node info found matching ''.")

    monkeypatch.setitem(__import__("sys").modules, "ray", SimpleNamespace(init=init))
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        with (
            pytest.raises(LibraryError, match=rf"`ray start --address={address}`.*ray://127\.0\.0\.1:10001"),
            ray_workers(address, HashingEmbedder(), partial(HashingEmbedder), 200),
        ):
            pass


@pytest.mark.parametrize("wrong", ["docs/", "files", "10.0.0.5", "ray://host", "http://host:80/x"])
def test_a_path_in_the_place_of_an_address_is_refused(wrong: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(attest, ["--home", str(tmp_path), "ingest", "--ray", wrong, str(SAMPLES)])
    assert isinstance(done.exception, RequestError)
    assert "put --ray behind the paths" in str(done.exception)


def test_without_ray_the_command_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    embedder = HashingEmbedder()
    with (
        pytest.raises(LibraryError, match=r'pip install "attest\[ray\]"'),
        ray_workers("local", embedder, partial(HashingEmbedder), 200),
    ):
        pass


@given(st.lists(st.integers(0, 2000), max_size=300), st.integers(1, 40))
def test_batches_hold_every_text_once_by_length(lengths: list[int], processors: int) -> None:
    batches = batches_by_length(lengths, processors)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    in_order = [lengths[place] for batch in batches for place in batch]
    assert in_order == sorted(lengths, reverse=True)
    assert len(batches) >= min(processors, len(lengths))
