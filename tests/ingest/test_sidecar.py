"""Valid entries of `sources.yaml` are used, and invalid ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sidecar import Source, read_sources
from store.errors import ReadError


def test_every_key_may_be_left_out_and_others_are_tolerated(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(
        "# a comment\n- file: a.txt\n  title: 'Tên: dài'\n  published: 2022\n  reviewer: nobody\n"
        "- file: ข.txt\n  speaker: 1984\n  published: 2023-06-14\n  language: ZH-Hant\n- file: c.txt\n  language: no\n",
        encoding="utf-8",
    )
    assert read_sources(tmp_path) == {
        "a.txt": Source(title="Tên: dài", published="2022"),
        "ข.txt": Source(speaker="1984", published="2023-06-14", language="zh-Hant"),
        "c.txt": Source(language="no"),
    }


def test_no_file_and_an_empty_one_say_nothing(tmp_path: Path) -> None:
    assert read_sources(tmp_path) == {}
    (tmp_path / "sources.yaml").write_text("# nothing yet\n", encoding="utf-8")
    assert read_sources(tmp_path) == {}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("a: 1", "list of entries"),
        ("- title: x", "entry 1"),
        ("- file: a\n- 3", "entry 2"),
        ("- file: a\n- file: a", "two entries for a"),
        ("- file: a\n  title: [x]", "title of a"),
        ("- file: a\n  published: soon", "date of a"),
        ("- file: a\n  published: 2023-13", "date of a"),
        ("- file: a\n  language: English!", "language of a"),
        ("- file: 'a\n  title: x", "line"),
        (b"- file: \xff\xfe", "UTF-8"),
        ("- file: &a [*a]", "entry 1"),
        ("[" * 5_000, "YAML"),
        ("!!python/object/apply:os.system ['true']", "YAML"),
    ],
)
def test_what_is_wrong_is_named_in_one_sentence(tmp_path: Path, content: str | bytes, named: str) -> None:
    path = tmp_path / "sources.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ReadError, match=named) as caught:
        read_sources(tmp_path)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_content_is_taken_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sources.yaml").write_bytes(content)
    try:
        assert isinstance(read_sources(tmp_path), dict)
    except ReadError as error:
        assert str(error).endswith(".")
