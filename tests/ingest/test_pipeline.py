"""Folders can be added to a library repeatedly, with good files and bad ones."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ingest.parse
import ingest.pipeline
from ingest.parse import FileOutcome, FileTask
from ingest.pipeline import ingest_paths, ingest_samples
from ingest.report import IngestReport
from store.errors import NotFoundError
from store.library import Library
from store.types import Document
from tests.ingest import files
from tests.store.building import HashingEmbedder

THAI = "การประชุมจัดขึ้นที่กรุงปักกิ่งเมื่อวันที่ 14 มิถุนายน พ.ศ. 2566 และมีผู้เข้าร่วมมากกว่า 300 คน จากหลายประเทศทั่วโลก"
VIETNAMESE = "Hội nghị được tổ chức tại Bắc Kinh. Có hơn 300 người tham dự từ gần một trăm nước."
ENGLISH = "The meeting was held in Beijing. More than 300 people from nearly a hundred countries took part."


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
def library(tmp_path: Path, embedder: HashingEmbedder) -> Iterator[Library]:
    with Library.open(tmp_path / "home", embedder=embedder) as library:
        yield library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    (folder / "inner").mkdir(parents=True)
    (folder / "b.txt").write_text(THAI, encoding="utf-8")
    (folder / "a.md").write_text(f"# Hội nghị\n\n{VIETNAMESE}", encoding="utf-8")
    (folder / "inner" / "c.html").write_text(f"<title>Meeting</title><p>{ENGLISH}</p>", encoding="utf-8")
    return folder


def counts(report: IngestReport) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed, len(report.failed)


def documents(library: Library) -> list[Document]:
    return list(library.documents().documents)


def test_a_folder_goes_in_whole_with_titles_languages_and_texts(library: Library, folder: Path) -> None:
    report = ingest_paths(library, [folder])
    assert counts(report) == (3, 0, 0, 0, 0)
    assert [(d.title, d.language, d.media_type) for d in documents(library)] == [
        ("Hội nghị", "vi", "text/markdown"),
        (THAI, "th", "text/plain"),
        ("Meeting", "en", "text/html"),
    ]
    assert [d.uri for d in documents(library)] == [
        (folder / name).as_posix() for name in ("a.md", "b.txt", "inner/c.html")
    ]
    assert report.passages == sum(d.passage_count for d in documents(library)) > 0
    assert library.text(documents(library)[0].id) == f"Hội nghị\n\n{VIETNAMESE}"


def test_the_same_folder_twice_changes_nothing_and_reads_nothing(
    library: Library, folder: Path, embedder: HashingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_paths(library, [folder])
    embedded = embedder.embedded
    monkeypatch.setattr(ingest.parse, "parse", lambda *_, **__: pytest.fail("an unchanged file was read"))
    assert counts(ingest_paths(library, [folder, folder / "inner", folder / "b.txt"])) == (0, 0, 3, 0, 0)
    assert embedder.embedded == embedded


def test_a_changed_file_replaces_its_passages(library: Library, folder: Path) -> None:
    ingest_paths(library, [folder])
    (folder / "inner" / "c.html").write_text("<title>Meeting</title><p>It was moved to Geneva.</p>", encoding="utf-8")
    assert counts(ingest_paths(library, [folder])) == (0, 1, 2, 0, 0)
    (changed,) = (d for d in documents(library) if d.title == "Meeting")
    assert library.text(changed.id) == "It was moved to Geneva."


def test_a_renamed_file_is_not_embedded_twice(library: Library, folder: Path, embedder: HashingEmbedder) -> None:
    ingest_paths(library, [folder])
    embedded = embedder.embedded
    (folder / "b.txt").rename(folder / "renamed.txt")
    assert counts(ingest_paths(library, [folder], sync=True)) == (1, 0, 2, 1, 0)
    assert embedder.embedded == embedded
    assert (folder / "b.txt").as_posix() not in {d.uri for d in documents(library)}


def test_sync_removes_only_what_is_gone_from_the_given_folders(library: Library, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "papers-of-others"
    other.mkdir()
    (other / "x.txt").write_text(ENGLISH, encoding="utf-8")
    ingest_paths(library, [folder, other])
    for path in (folder / "b.txt", folder / "inner" / "c.html", other / "x.txt"):
        path.unlink()
    assert counts(ingest_paths(library, [folder])) == (0, 0, 1, 0, 0)
    assert counts(ingest_paths(library, [folder], sync=True)) == (0, 0, 1, 2, 0)
    assert {d.uri for d in documents(library)} == {(folder / "a.md").as_posix(), (other / "x.txt").as_posix()}


def test_sync_of_many_documents_goes_page_by_page(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(130):
        (folder / f"{number:03}.txt").write_text(f"Document number {number} of the series.", encoding="utf-8")
    ingest_paths(library, [folder])
    for number in range(0, 130, 2):
        (folder / f"{number:03}.txt").unlink()
    assert counts(ingest_paths(library, [folder], sync=True)) == (0, 0, 65, 65, 0)


def test_one_bad_file_is_named_and_the_rest_goes_on(library: Library, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(files.pdf([["long enough to be cut"] * 9])[:200])
    (folder / "locked.pdf").write_bytes(files.encrypted_pdf())
    (folder / "empty.txt").write_bytes(b"")
    (folder / "only-marks.txt").write_text("... --- ...", encoding="utf-8")
    (folder / "good.pdf").write_bytes(files.pdf([[VIETNAMESE], [ENGLISH]]))
    report = ingest_paths(library, [folder])
    assert counts(report) == (4, 0, 0, 0, 4)
    reasons = {Path(each.path).name: each.error for each in report.failed}
    assert "damaged" in reasons["broken.pdf"]
    assert "encrypted" in reasons["locked.pdf"]
    assert "empty" in reasons["empty.txt"]
    assert "no words" in reasons["only-marks.txt"]
    (good,) = (d for d in documents(library) if d.uri.endswith("good.pdf"))
    assert len(good.pages) == 2
    assert good.page_of(library.text(good.id).index("More than")) == 2


def test_a_file_that_became_unreadable_keeps_its_last_good_text(library: Library, folder: Path) -> None:
    ingest_paths(library, [folder])
    (folder / "b.txt").write_bytes(b"")
    assert counts(ingest_paths(library, [folder], sync=True)) == (0, 0, 2, 0, 1)
    assert len(documents(library)) == 3


def test_sources_say_title_speaker_date_and_language(library: Library, folder: Path, embedder: HashingEmbedder) -> None:
    said = (
        "- file: a.md\n  title: Thông cáo\n  title_en: Release\n  speaker: Bộ Ngoại giao\n  published: 2021-12-10\n"
        "- file: b.txt\n  published: 2023-06\n  language: th\n"
    )
    (folder / "sources.yaml").write_text(said, encoding="utf-8")
    ingest_paths(library, [folder])
    first, second, _ = documents(library)
    assert (first.title, first.speaker, first.published) == ("Thông cáo", "Bộ Ngoại giao", "2021-12-10")
    assert (second.speaker, second.published, second.language) == (None, "2023-06", "th")
    embedded = embedder.embedded
    (folder / "sources.yaml").write_text(said.replace("  speaker: Bộ Ngoại giao\n", ""), encoding="utf-8")
    assert counts(ingest_paths(library, [folder])) == (0, 1, 2, 0, 0)
    assert documents(library)[0].speaker is None
    assert embedder.embedded == embedded


def test_the_files_beside_a_broken_sources_file_wait(library: Library, folder: Path) -> None:
    (folder / "sources.yaml").write_text("- file: a.md\n  published: yesterday\n", encoding="utf-8")
    report = ingest_paths(library, [folder])
    assert counts(report) == (1, 0, 0, 0, 1)
    assert report.failed[0].path.endswith("sources.yaml")
    assert "a.md" in report.failed[0].error


def test_names_written_apart_are_names(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "nfd"
    folder.mkdir()
    (folder / unicodedata.normalize("NFD", "Hội nghị.txt")).write_text(VIETNAMESE, encoding="utf-8")
    (folder / "sources.yaml").write_text("- file: Hội nghị.txt\n  speaker: An\n", encoding="utf-8")
    ingest_paths(library, [folder])
    assert documents(library)[0].speaker == "An"


def test_nothing_outside_of_the_folder_and_nothing_hidden_gets_in(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("The password is swordfish.", encoding="utf-8")
    (folder / "link.txt").symlink_to(secret)
    (folder / "again.txt").symlink_to(folder / "b.txt")
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / ".hidden.txt").write_text(ENGLISH, encoding="utf-8")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.txt").write_text(ENGLISH, encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    os.mkfifo(folder / "pipe.txt")
    assert counts(ingest_paths(library, [folder / "inner" / ".."])) == (3, 0, 0, 0, 0)


def test_a_document_turned_into_a_link_leaves_at_sync(library: Library, folder: Path, tmp_path: Path) -> None:
    ingest_paths(library, [folder])
    (folder / "inner").rename(tmp_path / "elsewhere")
    (folder / "inner").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert counts(ingest_paths(library, [folder], sync=True)) == (0, 0, 2, 1, 0)


def test_a_path_that_is_not_there_is_told_before_anything_is_done(library: Library, folder: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        ingest_paths(library, [folder, folder / "nowhere"])
    assert documents(library) == []


def test_a_file_named_by_itself_is_read_whatever_it_is_called(library: Library, folder: Path) -> None:
    named = folder / ".notes"
    named.write_text(ENGLISH, encoding="utf-8")
    assert counts(ingest_paths(library, [named])) == (1, 0, 0, 0, 0)
    binary = folder / "program.bin"
    binary.write_bytes(bytes(100) + b"\x7fELF")
    report = ingest_paths(library, [binary])
    assert "binary" in report.failed[0].error


def test_a_name_that_is_no_unicode_is_refused_by_name(library: Library, folder: Path) -> None:
    (folder / os.fsdecode(b"bad\xff.txt")).write_text(ENGLISH, encoding="utf-8")
    report = ingest_paths(library, [folder])
    assert counts(report) == (3, 0, 0, 0, 1)
    report.failed[0].path.encode()


def test_a_reader_that_fails_unforeseen_fails_for_one_file(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = ingest.parse.parse

    def failing(task: FileTask, *rest: Any) -> FileOutcome:
        if task.file.name == "b.txt":
            raise LookupError("nobody foresaw this")
        return parse(task, *rest)

    monkeypatch.setattr(ingest.parse, "parse", failing)
    report = ingest_paths(library, [folder])
    assert counts(report) == (2, 0, 0, 0, 1)
    assert report.failed[0].error == "This file can't be read: its reader failed (LookupError)."


def test_long_and_missing_titles_are_made_from_the_text(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "titles"
    folder.mkdir()
    (folder / "long.txt").write_text(f"{'many words ' * 40}\n\n{ENGLISH}", encoding="utf-8")
    (folder / "word.docx").write_bytes(files.docx([("Kết quả", "Heading 1"), (VIETNAMESE, None)], title="Document1"))
    ingest_paths(library, [folder])
    titles = [d.title for d in documents(library)]
    assert titles[0].endswith(("words…", "many…"))
    assert len(titles[0]) <= 120
    assert titles[1] == "Kết quả"


def test_a_table_is_named_by_its_file_and_not_by_its_first_row(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "ราคา.csv").write_text("Món,Giá\nOak board,31.50\nKeo,6.25\n", encoding="utf-8")
    (folder / "stock.json").write_text('[{"item": "glue", "left": 3}, {"item": "oil", "left": 0}]', encoding="utf-8")
    ingest_paths(library, [folder])
    assert {d.title for d in documents(library)} == {"ราคา", "stock"}


def test_the_samples_are_named_alike_on_every_machine(library: Library) -> None:
    report = ingest_samples(library)
    assert report.added >= 9
    assert not report.failed
    assert all(d.uri.startswith("sample:") and d.speaker for d in documents(library))


def test_the_real_corpus_goes_in_with_what_its_sources_say(library: Library, shared: Path) -> None:
    report = ingest_paths(library, [shared / "corpus"])
    assert counts(report) == (5, 0, 0, 0, 0)
    assert sorted(d.language for d in documents(library)) == ["en", "en", "en", "th", "vi"]
    assert all(d.speaker and d.published for d in documents(library))
