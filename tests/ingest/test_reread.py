"""A library that an older version of Attest filled can be read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner, Result

from ingest.cli import ingest, prepare
from ingest.library_cli import doctor, list_documents
from ingest.pipeline import ingest_paths, ingest_samples
from store.catalog.packing import text_sha256
from store.library import Library
from store.settings import load_settings

NAMES = ("cầu.txt", "สะพาน.txt", "jembatan.txt")
OLD = 2**47
"""A number as versions gave it that did not yet say which they were."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A library whose first two documents an older version read, the first of them wrongly."""
    for name in NAMES:
        (tmp_path / name).write_text(f"The bridge {name} cost 480³ baht.", encoding="utf-8")
    with Library.open(tmp_path / "home") as library:
        ingest_paths(library, [tmp_path / name for name in NAMES], collection="bridges")
        for name in NAMES[:2]:
            age(library, str(tmp_path / name), wrongly=name == NAMES[0])
    return tmp_path / "home"


def age(library: Library, uri: str, *, wrongly: bool = False) -> None:
    """Store a document as an older version would have read it."""
    known = library.find_document(uri)
    assert known is not None
    parsed = library.parsed(known.id)
    if wrongly:
        text = parsed.text.replace("³", "3")
        parsed = replace(parsed, text=text, document=replace(parsed.document, text_sha256=text_sha256(text)))
    library.add(replace(parsed, normalization=OLD))


def again(home: Path, *arguments: str) -> Result:
    """`attest ingest --again` for the library at `home`."""
    return CliRunner().invoke(
        ingest, ["--again", *arguments], obj=load_settings(home), catch_exceptions=False, standalone_mode=False
    )


def told(home: Path) -> str:
    """What `attest prepare` says of the library at `home`."""
    return (
        CliRunner().invoke(prepare, [], obj=load_settings(home), catch_exceptions=False, standalone_mode=False).output
    )


def test_a_library_names_what_an_older_version_read_and_the_command(home: Path) -> None:
    said = told(home)
    assert said.startswith("2 documents were read by an older version of Attest: ")
    assert all((str(home.parent / name) in said) == (name in NAMES[:2]) for name in NAMES)
    assert said.endswith("Read them again with `attest ingest --again`.\n")


def output(command: Command, home: Path, *arguments: str) -> str:
    """What a command says of the library at `home`."""
    return CliRunner().invoke(command, arguments, obj=load_settings(home), catch_exceptions=False).output


def test_the_list_marks_what_an_older_version_read(home: Path) -> None:
    *lines, advice = output(list_documents, home).splitlines()
    marked = {name for name in NAMES for line in lines if name in line and "bridges, read by an older version)" in line}
    assert marked == set(NAMES[:2])
    assert advice == "Read again what an older version read: attest ingest --again"
    listed = json.loads(output(list_documents, home, "--json"))["documents"]
    assert {Path(each["uri"]).name for each in listed if each["read_by_older_version"]} == set(NAMES[:2])


def test_a_library_of_this_version_has_nothing_marked(home: Path) -> None:
    again(home)
    assert "older version" not in output(list_documents, home) + output(doctor, home)


def test_doctor_names_what_an_older_version_read_and_does_not_call_it_wrong(home: Path) -> None:
    said = output(doctor, home)
    assert told(home) in said
    assert said.endswith("Nothing is wrong.\n")
    older = json.loads(output(doctor, home, "--json"))["read_by_older_version"]
    assert older == {"count": 2, "uris": sorted(str(home.parent / name) for name in NAMES[:2])}


def test_again_reads_unchanged_files_that_an_older_version_read(home: Path) -> None:
    result = again(home)
    assert "0 added, 1 updated, 1 unchanged, 0 removed, 0 failed" in result.output
    assert result.return_value == 0
    assert told(home) == ""
    with Library.open(home, read_only=True) as library:
        mended = library.find_document(str(home.parent / NAMES[0]))
        assert mended is not None
        assert "480³" in library.text(mended.id)
        assert mended.collection == "bridges"


def test_again_finds_nothing_to_do_the_second_time(home: Path) -> None:
    again(home)
    result = again(home)
    assert "No document was read by an older version." in result.output
    assert result.return_value == 0


def test_a_document_whose_file_is_gone_stays_and_is_named(home: Path) -> None:
    (home.parent / NAMES[0]).unlink()
    result = again(home)
    assert f"{home.parent / NAMES[0]}: This file is gone; its document stays as it was read." in result.output
    assert result.return_value == 1
    with Library.open(home, read_only=True) as library:
        assert library.find_document(str(home.parent / NAMES[0])) is not None


def test_samples_are_read_again_wherever_attest_is_installed(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        ingest_samples(library)
        age(library, library.documents().documents[0].uri)
    assert told(tmp_path).startswith("1 document was read by an older version of Attest: sample:")
    assert again(tmp_path).return_value == 0
    assert told(tmp_path) == ""
