from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.text import contains, fold, normalize, same_language, without_markers, words

SCRIPTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


@given(SCRIPTS)
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert normalize(normalize(text, "en"), "en") == normalize(text, "en")


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The 2 reports", "en", ("2", "reports")),
        ("ประเทศไทย ๒๕๖๖ UN", "th", ("ประเทศ", "ไทย", "2566", "un")),
        ("น้ำท่วม", "th", ("น้ำท่วม",)),
        ("Đội thủ Panthers", "vi", ("đội", "thủ", "panthers")),
        ("北京 2024年", "zh", ("北", "京", "2024", "年")),
        ("ここはカナー", "ja", ("こ", "こ", "は", "カ", "ナ", "ー")),
        ("الأمم المتحدة ٢٠٢٣", "ar", ("الأمم", "المتحدة", "2023")),
        ("ຂ້ອຍ", "lo", ("ຂ້", "ອ", "ຍ")),
        ("café 👩‍🔬 né", "fr", ("café", "👩🔬", "né")),
        ("An, a and the", "en", ("and",)),
        ("a là the", "vi", ("a", "là", "the")),
    ],
)
def test_words_are_counted_by_the_habits_of_each_script(text: str, language: str, expected: tuple[str, ...]) -> None:
    assert words(text, language) == expected


@pytest.mark.parametrize("text", ["Tiếng Việt có dấu", "ประเทศไทยน้ำ", "ການຳ", "Ðê điều"])
def test_composed_and_decomposed_spellings_are_the_same(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert len({fold(form) for form in forms}) == 1
    assert len({words(form) for form in forms}) == 1


def test_a_thai_sentence_is_more_than_one_word() -> None:
    assert len(words("สมาคมสหประชาชาติแห่งประเทศจีนจัดการประชุมที่กรุงปักกิ่ง", "th")) >= 6


@pytest.mark.parametrize(
    ("text", "needle", "expected"),
    [
        ("Founded in ๒๕๖๖.", "2566", True),
        ("in 2015", "5", False),
        ("3.5 %", "3", False),
        ("3.5 %", "3.5", True),
        ("35 %", "3.5", False),
        ("1,000 people", "000", False),
        ("It was 2023.", "2023", True),
        ("chapters 3, 4", "3", True),
        ("“It’s” — here", '"it\'s" - HERE', True),
        ("แม่\u200bน้ำ", "แม่น้ำ", True),
        ("Hội đồng", unicodedata.normalize("NFD", "HỘI ĐỒNG"), True),
        ("ด้วย6½ครั้ง", "6½", True),
        ("anything", " ", False),
    ],
)
def test_searching_ignores_spelling_but_not_meaning(text: str, needle: str, expected: bool) -> None:
    assert contains(text, needle) is expected


@pytest.mark.parametrize(
    ("text", "needle", "languages", "expected"),
    [
        ("a fee of 1,500 baht", "1500", ["en"], True),
        ("a fee of 1500 baht", "1,500", ["en"], True),
        ("ค่าปรับ ๑,๕๐๐ บาท", "1500 บาท", ["th"], True),
        ("phí 1.500 đồng", "1500", ["vi"], True),
        ("phí 1.500 đồng", "1,500", ["vi", "en"], True),
        ("phí 1.500 đồng", "1500", ["en"], False),
        ("a rate of 1,500", "1500", ["vi"], False),
        ("tăng 2,5 %", "2.5%", ["vi", "en"], True),
        ("rose by 2.5 %", "2.5%", ["en"], True),
        ("rose by 12.5 %", "2.5%", ["en"], False),
        ("1\u202f500 euros", "1500", ["fr"], True),
        ("11,500", "1500", ["en"], False),
        ("1,500,000", "1500", ["en"], False),
        ("phone 02,500", "2500", ["en"], False),
        ("1,50", "150", ["en"], False),
        ("1,500", "1500", ["no such language"], True),
        ("1,500", "1500", [], False),
    ],
)
def test_a_number_is_the_same_where_its_readers_take_it_for_the_same(
    text: str, needle: str, languages: list[str], expected: bool
) -> None:
    assert contains(text, needle, languages) is expected


@given(st.integers(0, 10**9), st.sampled_from(["en", "th", "vi", "de", "fr", "hi"]))
def test_any_number_is_known_again_as_its_language_writes_it(number: int, language: str) -> None:
    from babel.numbers import format_decimal

    assert contains(f"x {format_decimal(number, locale=language)} y", str(number), [language])


@given(SCRIPTS, SCRIPTS)
def test_a_text_that_holds_no_digits_contains_each_of_its_words(before: str, after: str) -> None:
    middle = "กลาง"
    assert contains(f"{before} {middle} {after}", middle)


def test_markers_go_and_the_rest_stays() -> None:
    assert without_markers("It began in 2023 [1][2, 3]. See [note].") == "It began in 2023. See [note]."


def test_a_region_does_not_make_another_language() -> None:
    assert same_language("zh-Hant", "zh_Hans")
    assert not same_language("und", "und")
    assert not same_language(None, "th")


def test_counting_thai_words_leaves_no_folder_in_the_home(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    environment.pop("PYTHAINLP_READ_ONLY", None)
    subprocess.run(
        [sys.executable, "-c", "from evals.text import words; assert len(words('ประเทศไทย')) == 2"],
        env=environment,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert list(tmp_path.iterdir()) == []
