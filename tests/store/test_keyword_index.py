"""Keywords find text in any spelling, and follow additions and removals."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.catalog.engine import Database
from store.catalog.schema import migrate
from store.embedding.embedder import TextEmbedder
from store.errors import IndexDamagedError
from store.index.embedded_keywords import EmbeddedKeywordIndex
from store.index.keyword_index import MAX_QUERY_TERMS, KeywordEntry, KeywordIndex
from store.index.postgresql_keywords import ServerKeywordIndex
from store.types import Filter
from tests.postgresql import PostgresServer


def entry(name: str, text: str, language: str = "en", **known: str) -> KeywordEntry:
    return KeywordEntry(name, f"of-{name}", language, known.get("speaker"), known.get("published"), text)


TEXTS = {
    "forum-th": "การประชุมใต้-ใต้ครั้งที่ ๔ จัดขึ้นที่กรุงปักกิ่งเมื่อวันที่ 14 มิถุนายน พ.ศ. 2566 โดยสำนักงานข้อมูล",
    "forum-vi": "Diễn đàn được tổ chức ngày 14 tháng 6 năm 2023, nói về hoà bình và thuỷ lợi.",
    "forum-en": "The forum was held on June 14, 2023, and Mr. Zhang Jun spoke of 1,250 delegates.",
    "report-ar": "عُقِدَ المنتدى في عام ٢٠٢٣",
    "other-en": "Rice prices rose in 2019, and the harvest of the delta was poor.",
    "other-th": "ราคาข้าวเพิ่มขึ้นและน้ำในแม่น้ำลดลง",
    "other-vi": "Giá gạo tăng trong mùa mưa.",
}


Tokenize = Callable[[str], list[str]]
PLACES = ["home", "postgresql"]


def opened(place: str, tokenize: Tokenize, request: pytest.FixtureRequest) -> KeywordIndex:
    """An empty index in that place."""
    if place == "home":
        folder = request.getfixturevalue("tmp_path_factory").mktemp("keywords")
        return EmbeddedKeywordIndex.open(folder / "keywords", tokenize)
    server: PostgresServer = request.getfixturevalue("postgresql")
    where = server.new_database()
    migrate(where)
    database = Database.connect(where)
    request.addfinalizer(database.close)
    return ServerKeywordIndex.open(database, 1, tokenize)


@pytest.fixture(scope="module", params=PLACES)
def index(model: TextEmbedder, request: pytest.FixtureRequest) -> Iterator[KeywordIndex]:
    index = opened(request.param, model.tokenize, request)
    index.add(entry(name, text, name[-2:]) for name, text in TEXTS.items())
    index.commit()
    yield index
    index.close()


def best(index: KeywordIndex, query: str) -> str:
    return index.search(query, 1)[0][0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("การประชุมครั้งที่ 4", "forum-th"),
        ("ครั้งที่ ٤", "forum-th"),
        ("สํานักงานข้อมูล", "forum-th"),
        ("hòa bình", "forum-vi"),
        ("thủy lợi", "forum-vi"),
        (unicodedata.normalize("NFD", "thủy lợi"), "forum-vi"),
        ("Zhang Jun", "forum-en"),
        ("ZHANG JUN", "forum-en"),
        ("1,250", "forum-en"),
        ("المنتدى عام 2023", "report-ar"),
        ("นํ้าในแม่นํ้า", "other-th"),
    ],
)
def test_a_word_or_number_is_found_in_any_spelling(index: KeywordIndex, query: str, expected: str) -> None:
    assert best(index, query) == expected


@pytest.mark.parametrize("query", ["14 June 2023", "๑๔ มิถุนายน ๒๕๖๖", "ngày 14 tháng 6 năm 2023", "14/6/2566"])
def test_a_date_is_found_in_every_language_and_calendar(index: KeywordIndex, query: str) -> None:
    assert {"forum-th", "forum-vi", "forum-en"} == {name for name, _ in index.search(query, 3)}


def test_a_year_of_the_buddhist_era_finds_the_gregorian_one(index: KeywordIndex) -> None:
    found = index.search("พ.ศ. 2562", 10, Filter(languages=("en",)))
    assert found[0][0] == "other-en"
    assert len(found) == 1 or found[0][1] > 2 * found[1][1]


def test_rare_terms_weigh_more_than_common_ones(index: KeywordIndex) -> None:
    weights = index.parse("the harvest").weights
    assert max(weights, key=weights.__getitem__) != "▁the"
    assert weights["▁the"] > 0


def test_no_passage_scores_above_the_ceiling(index: KeywordIndex) -> None:
    for text in TEXTS.values():
        parsed = index.parse(text)
        assert 0 < index.search(parsed, 1)[0][1] <= parsed.ceiling
        assert index.share(parsed, text) == pytest.approx(1.0)


def test_the_share_of_a_text_without_the_query_s_terms_is_nothing(index: KeywordIndex) -> None:
    assert index.share(index.parse("Zhang 2023"), "กขค") == 0.0
    assert index.share(index.parse(""), "anything") == 0.0


def test_a_query_may_be_restricted_to_passages(index: KeywordIndex) -> None:
    assert [name for name, _ in index.search("2023", 10, among=["forum-vi", "other-en"])] == ["forum-vi"]
    assert index.search("2023", 10, among=[]) == []


@pytest.mark.parametrize("query", ["", "\u200b"])
def test_a_query_without_terms_finds_nothing(index: KeywordIndex, query: str) -> None:
    assert index.search(query, 10) == []
    assert index.parse(query).ceiling == 0


def test_a_very_long_query_is_searched_by_its_rarest_terms(index: KeywordIndex) -> None:
    words = " ".join(chr(0x4E00 + number) for number in range(4000))
    parsed = index.parse(f"{words} the Zhang {words}")
    assert len(parsed.weights) == MAX_QUERY_TERMS
    assert list(parsed.weights.values()) == sorted(parsed.weights.values(), reverse=True)
    assert "▁the" not in parsed.weights


@pytest.fixture(params=PLACES)
def small(request: pytest.FixtureRequest) -> Iterator[KeywordIndex]:
    index = opened(request.param, str.split, request)
    yield index
    index.close()


def test_what_was_removed_is_found_no_more_and_weighs_nothing(small: KeywordIndex) -> None:
    small.add([entry("a", "rice delta"), entry("b", "rice"), entry("c", "delta")])
    small.commit()
    small.remove_passages(["b", "c"])
    small.commit()
    assert [name for name, _ in small.search("rice delta", 10)] == ["a"]
    assert small.count() == 1
    assert all(weight > 0 for weight in small.parse("rice delta nowhere").weights.values())


def test_nothing_is_found_before_it_is_committed(small: KeywordIndex) -> None:
    small.add([entry("a", "rice")])
    assert small.search("rice", 10) == []
    small.commit()
    assert len(small.search("rice", 10)) == 1


def test_filters_reach_the_keywords(small: KeywordIndex) -> None:
    small.add(
        [
            entry("a", "rice", "en", speaker="Ann", published="2019"),
            entry("b", "rice", "vi", speaker="Binh", published="2021-06"),
            entry("c", "rice", "th", published="2021-07-02"),
            entry("d", "rice", "th", speaker="Ann"),
        ]
    )
    small.commit()

    def found(**conditions: object) -> str:
        return "".join(sorted(name for name, _ in small.search("rice", 10, Filter(**conditions))))  # type: ignore[arg-type]

    assert found() == "abcd"
    assert found(documents=("of-a", "of-c")) == "ac"
    assert found(speakers=("Ann",)) == "ad"
    assert found(languages=("th", "vi")) == "bcd"
    assert found(published_from="2021") == "bc"
    assert found(published_to="2021-06") == "ab"
    assert found(published_from="2021-06-30", published_to="2021-07") == "bc"
    assert found(speakers=("Ann",), published_from="2000") == "a"
    assert found(speakers=("Nobody",)) == ""


def test_filters_change_no_score(small: KeywordIndex) -> None:
    small.add([entry("a", "rice delta", "en", speaker="Ann", published="2019"), entry("b", "rice", "en")])
    small.commit()
    where = Filter(
        documents=("of-a",), speakers=("Ann",), languages=("en",), published_from="2019", published_to="2020"
    )
    assert small.search("rice delta", 1, where) == small.search("rice delta", 1)


def test_what_one_process_adds_another_finds_at_once(tmp_path: Path) -> None:
    small = EmbeddedKeywordIndex.open(tmp_path / "keywords", str.split)
    reader = EmbeddedKeywordIndex.open(tmp_path / "keywords", str.split, read_only=True)
    small.add([entry("a", "rice")])
    small.commit()
    assert [name for name, _ in reader.search("rice", 10)] == ["a"]
    with pytest.raises(IndexDamagedError, match="reading only"):
        reader.add([entry("b", "rice")])
    small.close()


def test_a_missing_or_damaged_index_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IndexDamagedError, match="attest rebuild"):
        EmbeddedKeywordIndex.open(tmp_path / "nothing", str.split, read_only=True)
    EmbeddedKeywordIndex.open(tmp_path / "keywords", str.split).close()
    (tmp_path / "keywords" / "meta.json").write_text("{")
    with pytest.raises(IndexDamagedError, match="attest rebuild"):
        EmbeddedKeywordIndex.open(tmp_path / "keywords", str.split)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_is_found_by_itself(small: KeywordIndex, text: str) -> None:
    small.add([entry("x", text)])
    small.commit()
    found = small.search(text, 5)
    assert [name for name, _ in found] == (["x"] if small.terms(text) else [])
    small.remove_passages(["x"])
    small.commit()
    assert small.search(text, 5) == []
