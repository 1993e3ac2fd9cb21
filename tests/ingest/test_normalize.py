"""A document's text has whole sentences, with nothing lost and nothing hidden."""

from __future__ import annotations

import textwrap
import time
import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.blocks import Block
from ingest.normalize import normalize, normalize_text
from store.types import Span

ENGLISH = (
    "The two delegations met on Tuesday to discuss how the fund should be spent in the coming year. They agreed "
    "that most of it should go to rural clinics, and that a first report would be due in March. Nobody voted against."
)
VIETNAMESE = (
    "Hai phái đoàn đã họp vào thứ Ba để bàn về cách sử dụng quỹ trong năm tới. Họ nhất trí rằng phần lớn số tiền nên "
    "được dành cho các trạm y tế ở nông thôn, và bản báo cáo đầu tiên sẽ được nộp vào tháng Ba."
)
CHINESE = (
    "两个代表团星期二举行会议，讨论明年如何使用这笔基金。双方同意，大部分资金应当用于农村诊所，第一份报告应在三月提交。"
    * 3
)
THAI = (
    "คณะผู้แทนทั้งสองประชุมกันเมื่อวันอังคารเพื่อหารือเรื่องการใช้เงินกองทุนในปีหน้า ทั้งสองฝ่ายเห็นพ้องกันว่าเงินส่วนใหญ่ควรนำไปใช้กับสถานีอนามัยในชนบท "
    * 3
)

scripts = st.text(
    st.sampled_from(
        [
            *"abcABC .,-:1\n\n\t\r\f\"'()",
            *"ắệưđêô\u0301\u0302\u0309\u0323",
            *"กิ้าเน้ํำแ๑",
            *"\u200b\u200c\u200d\u00ad\u2028\ufeff\u202e\u2066",
            *"مرحباى\u064e",
            *"中文。かが\u3099",
            *"👩👧🏽🏴\ufe0f\U000e0067\U000e0062\U000e007f❤",
            *"क्षि",
            *"\ud800\ufffe\u3000\u00a0",
        ]
    ),
    max_size=120,
)


@pytest.mark.parametrize("paragraph", [ENGLISH, VIETNAMESE])
@pytest.mark.parametrize("empty_lines", [1, 2])
def test_wrapped_and_double_spaced_lines_become_whole_paragraphs(paragraph: str, empty_lines: int) -> None:
    separator = "\n" * empty_lines
    page = "Report\n\n" + separator.join(textwrap.wrap(paragraph, 62)) + "\n\n" * empty_lines
    text = normalize_text(page * 3).text
    assert text.count(paragraph) == 3
    assert text.count("Report") == len(regex.findall(r"^Report$", text, regex.M)) == 3


def test_wrapped_chinese_and_thai_are_joined_without_spaces() -> None:
    for paragraph, width in ((CHINESE, 30), (THAI.replace(" ", ""), 60)):
        lines = [paragraph[start : start + width] for start in range(0, len(paragraph), width)]
        clusters_whole = all(not unicodedata.combining(line[0]) for line in lines)
        assert normalize_text("\n".join(lines)).text == paragraph or not clusters_whole


def test_a_sentence_goes_on_over_the_end_of_a_page() -> None:
    first, second = textwrap.wrap(ENGLISH, 62)[:2], textwrap.wrap(ENGLISH, 62)[2:]
    result = normalize([Block("\f" + "\n".join(first) + "\n12\n\f" + "\n".join(second) + "\n13\n")])
    assert result.text == ENGLISH
    assert result.pages == (0, len(" ".join(first)) + 1)


def test_a_page_starts_where_its_first_word_stands() -> None:
    result = normalize([Block("\fTitle\n\n\fSecond page begins here\n\f\fFourth")])
    assert [result.text[start:][:6] for start in result.pages] == ["Title\n", "Second", "Fourth", "Fourth"]


@pytest.mark.parametrize(
    "text",
    ["Shopping\n- milk\n- bread and butter\n- tea", "Roses are red\nViolets are blue\nSugar is sweet\nAnd so are you"],
)
def test_lists_and_verses_keep_their_lines(text: str) -> None:
    assert normalize_text(text).text == text


def test_one_paragraph_a_line_stays_so(shared: Path) -> None:
    for name in ("forum-2023-th.txt", "south-south-2021-vi.txt"):
        source = (shared / "corpus" / name).read_text(encoding="utf-8")
        assert normalize_text(source).text.split("\n") == [line.strip() for line in source.strip().split("\n")]


def test_the_double_spaced_statement_has_whole_sentences_and_separate_headings(shared: Path) -> None:
    source = (shared / "corpus/una-china-statement-hrc51-en.txt").read_text(encoding="utf-8")
    lines = normalize_text(source).text.split("\n")
    assert {"II. Recommendations", "I. Challenges to the protection and promotion of human rights"} <= set(lines)
    assert lines[0].endswith("Common Values of Humanity")
    assert any("ensure that the fruits of development are shared" in line for line in lines)
    assert all(regex.search(r"[.]$", line) for line in lines if len(line) > 100)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Vie\u0323\u0302t Nam, quye\u0300\u0302n", "Việt Nam, quyền"),
        (unicodedata.normalize("NFD", "Hội nghị thượng đỉnh"), "Hội nghị thượng đỉnh"),
        ("น\u0e49\u0e4d\u0e32 น\u0e4d\u0e49\u0e32 ทํา", "น้ำ น้ำ ทำ"),
        ("a\u200bb\ufeffc\u00add\u2060e\u202ef\u2066g", "abcdefg"),
        ("x\U000e0068\U000e0069y", "xy"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("wo\u200crd\u200d", "word"),
        (
            "👩\u200d👩\u200d👧 ❤\ufe0f 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "👩\u200d👩\u200d👧 ❤\ufe0f 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("a\ufe01\ufe02 😀\ufe0f\ufe0e\U000e0101", "a 😀\ufe0f"),
        ("tab\tand\u00a0no-break\u3000wide  ", "tab and no-break wide"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("inter\u00ad\nnational", "international"),
    ],
)
def test_one_way_of_writing_each_thing(written: str, read: str) -> None:
    assert normalize_text(written).text == read


def test_headings_are_found_again_in_the_text() -> None:
    blocks = [
        Block(" Part\n One ", "heading"),
        Block("Soft\nends", "paragraph"),
        Block("\u200b", "heading"),
        Block("Two", "heading"),
    ]
    result = normalize(blocks)
    assert result.text == "Part One\n\nSoft ends\n\nTwo"
    assert result.headings == (Span(0, 8), Span(21, 24))
    assert normalize_text("plain").headings is None


@settings(max_examples=400)
@given(scripts)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalize_text(text.replace("\f", "")).text
    assert normalize_text(once).text == once


@settings(max_examples=200)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=90), max_size=12).map("\n".join))
def test_normalizing_any_text_twice_changes_nothing(text: str) -> None:
    once = normalize_text(text).text
    assert normalize_text(once).text == once


@given(
    st.lists(st.sampled_from(ENGLISH.split() + VIETNAMESE.split() + ["กฎบัตร", "مرحبا", "中文", "👩‍👧"]), min_size=1),
    st.randoms(),
)
def test_no_word_is_lost_however_the_lines_fall(words: list[str], random: object) -> None:
    text = "".join(word + random.choice([" ", "\n", "\n\n", "  \n", "\f"]) for word in words)  # type: ignore[attr-defined]
    assert regex.sub(r"\s", "", normalize_text(text).text) == regex.sub(r"\s", "", "".join(words))


@given(scripts)
def test_nothing_invisible_reaches_the_text(text: str) -> None:
    result = normalize_text(text)
    assert not regex.search(r"[\u200b\u202a-\u202e\u2066-\u2069\ufeff\u00ad\ud800-\udfff]", result.text)
    assert unicodedata.is_normalized("NFC", result.text)
    assert list(result.pages) == sorted(result.pages)
    assert all(0 <= start <= len(result.text) for start in result.pages)


def test_a_long_single_line_takes_no_more_than_linear_time() -> None:
    line = (THAI + ENGLISH) * 2_000
    start = time.process_time()
    assert len(normalize_text(line).text) > 1_000_000
    assert time.process_time() - start < 10
