"""A library of another version is rebuilt, migrated after a backup, or refused when it is opened."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.catalog.catalog import FILE
from store.doctor import checks as health
from store.errors import EmbedderMismatchError, SchemaVersionError
from store.index import keyword_index as lexical
from store.library import Library
from store.text.dates import date_terms
from store.text.fold import fold
from store.text.spellings import spelling_terms
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, found, parsed

TEXTS = (
    *(text for pair in SCRIPTS.values() for text in pair),
    "พ.ศ. ๒๕๖๖ น้ำ นํ้า กำลัง วันที่ 14 มิถุนายน พ.ศ. 2566, 14 มิ.ย. 2566",
    "ngày 14 tháng 6 năm 2023; tháng Sáu năm 2023; hoà hòa thuý thúy oẻ quý Đặng NGUYỄN",
    "June 14, 2023; 14 June 2023; 2023-06-14; 14/6/2023; 6.7.2023; May 2021; may; 1,234.50; ﬁne ＡＢＣ ½ ß İ",
    "2023年6月14日 2023년 6월 14일 ١٤ يونيو ٢٠٢٣ مُحَمَّد مـحمد १४ जून २०२३ 14. Juni 2023 14 de junio de 2023",
    "soft\u00adhyphen zero\u200bwidth joiner\u200d \u202ebidi\u202c tag\U000e0041 e\u0301 \u1100\u1161",
)
DIGEST = {4: "d0a3f643f06828e0"}
"""Of the terms of `TEXTS`, by the version that makes them."""


def test_whatever_changes_the_terms_is_a_version_of_its_own() -> None:
    made = [(fold(text), sorted(date_terms(text)), sorted(spelling_terms(text, "vi"))) for text in TEXTS]
    digest = hashlib.sha256(repr(made).encode()).hexdigest()[:16]
    assert digest == DIGEST.get(lexical.TERMS_VERSION), (
        "Words or dates become other terms than before, so that indexes made before find less: add one to "
        "store.index.keyword_index.TERMS_VERSION, and note the digest of the new version here."
    )


def _filled(home: Path) -> dict[str, object]:
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, parsed("th", *SCRIPTS["th"], language="th"), parsed("en", *SCRIPTS["en"], "Held on 14 June 2023."))
        return contents(library)


@pytest.mark.parametrize("noted", [True, False])
def test_keywords_of_another_version_are_made_anew_when_the_library_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, noted: bool
) -> None:
    """As if this were the next version, and the library had been made by this one, or before that was noted."""
    held = _filled(tmp_path)
    if not noted:
        with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
            connection.execute("DELETE FROM library WHERE name = 'terms_version'")
    monkeypatch.setattr(lexical, "TERMS_VERSION", lexical.TERMS_VERSION + 1)
    monkeypatch.setattr("store.index.rebuild.TERMS_VERSION", lexical.TERMS_VERSION)
    monkeypatch.setattr(lexical, "fold", lambda text: fold(text).upper())
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        assert found(library, SCRIPTS["en"][0], 1) == [SCRIPTS["en"][0]]
        with library.ownership.indexes() as opened:
            assert opened.keywords.search("FORUM", 5), "the keywords are still the old ones"
            assert opened.generation.keywords == 2
        assert contents(library) == held
        assert health.check(library) == []
    assert "reads words and dates differently" in caplog.text
    caplog.clear()
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        found(library, "forum")
    assert caplog.text == "", "it was made anew a second time"


def test_an_embedder_of_the_same_size_is_not_taken_for_the_same(tmp_path: Path) -> None:
    _filled(tmp_path)
    other = HashingEmbedder("other")
    assert other.dimensions == HashingEmbedder().dimensions
    with pytest.raises(EmbedderMismatchError, match="attest rebuild --embed"):
        Library.open(tmp_path, embedder=other)
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        assert found(library, SCRIPTS["th"][0], 1) == [SCRIPTS["th"][0]]


def test_a_library_of_a_newer_version_is_refused_whole_and_left_alone(tmp_path: Path) -> None:
    _filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "owner" not in path.name}
    for read_only in (False, True):
        with pytest.raises(SchemaVersionError, match="Upgrade Attest, or choose another --home"):
            Library.open(tmp_path, embedder=HashingEmbedder(), read_only=read_only)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "owner" not in path.name}
    assert after == before
