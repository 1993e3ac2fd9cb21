"""A short answer in another language also gets dates, numbers and places in the asker's, if a rule can."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.localize import with_renderings
from assistant.types import AnswerSpan, Evidence, ShortAnswer, Source


def rendered(text: str, quoted_in: str, language: str) -> dict[str, str]:
    """Return the renderings by the words that they are of."""
    source = Source(id="a", title="t", language=quoted_in, sha256="0")
    quote = Evidence(
        key=1, document=source, passage_id="a:0", start=0, end=len(text), quote=text, language=quoted_in, score=1
    )
    span = AnswerSpan(key=1, start=0, end=len(text), text=text)
    found = with_renderings(ShortAnswer(spans=(span,), confidence=0.9), [quote], language)
    assert found.spans == (span,), "the words themselves stay"
    return {each.words: each.rendered for each in found.in_asker_language}


@pytest.mark.parametrize(
    ("text", "quoted_in", "language", "expected"),
    [
        ("14 มิถุนายน พ.ศ. 2566", "th", "en", ["June 14, 2023"]),
        ("๑๔ มิถุนายน ๒๕๖๖", "th", "vi", ["14 tháng 6, 2023"]),
        ("ngày 20 tháng 9 năm 1977", "vi", "th", ["20 กันยายน พ.ศ. 2520"]),
        ("25 June 1993", "en", "th", ["25 มิถุนายน พ.ศ. 2536"]),
        ("29 February 2024", "en", "th", ["29 กุมภาพันธ์ พ.ศ. 2567"]),
        ("พฤศจิกายน พ.ศ. 2565", "th", "vi", ["tháng 11 năm 2022"]),
        ("พ.ศ. 2489", "th", "en", ["1946"]),
        ("14 มิถุนายน 2566", "th", "ar", ["14 يونيو 2023"]),
        ("14 มิถุนายน 2566", "th", "zh", ["2023年6月14日"]),
        ("๖ ประเทศ", "th", "en", ["6"]),
        ("1.234 người", "vi", "en", ["1,234"]),
        ("1,250 delegates", "en", "vi", ["1.250"]),
        ("47 triệu", "vi", "en", ["47,000,000"]),
        ("ปักกิ่ง", "th", "en", ["Beijing"]),
        ("Geneva", "en", "th", ["เจนีวา"]),
        ("Trung Quốc và Hoa Kỳ", "vi", "th", ["จีน", "สหรัฐอเมริกา"]),
        ("ภาษาฝรั่งเศสและภาษาเวียดนาม", "th", "en", ["French", "Vietnamese"]),
        ("tiếng Pháp", "vi", "th", ["ภาษาฝรั่งเศส"]),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_what_a_rule_knows_is_told_in_the_askers_language(
    text: str, quoted_in: str, language: str, expected: list[str], form: Literal["NFC", "NFD"]
) -> None:
    assert list(rendered(unicodedata.normalize(form, text), quoted_in, language).values()) == expected


@pytest.mark.parametrize(
    ("text", "quoted_in", "language"),
    [
        ("14 June 2023", "en", "en"),
        ("14 June 2023", "en", "en-GB"),
        ("6/7/2023", "en", "th"),
        ("31 June 2023", "en", "th"),
        ("สามชั่วโมงครึ่ง", "th", "en"),
        ("Eleanor Roosevelt", "en", "th"),
        ("more than 800 organizations", "en", "vi"),
        ("ร้อยละ 45.5", "th", "en"),
        ("🎉", "en", "th"),
        ("14 มิถุนายน 2566", "th", "xx"),
    ],
)
def test_what_no_rule_is_sure_of_or_reads_the_same_is_left_alone(text: str, quoted_in: str, language: str) -> None:
    assert rendered(text, quoted_in, language) == {}


def test_the_words_that_were_rendered_are_those_of_the_quote() -> None:
    assert rendered("ผู้เข้าร่วม ๓๐๐ คน จาก ๖ ประเทศ", "th", "en") == {"๓๐๐": "300", "๖": "6"}


@given(st.text(min_size=1, max_size=40), st.sampled_from(["en", "th", "vi", "ar", "zh"]))
def test_any_words_can_be_asked_for_in_any_language(text: str, language: str) -> None:
    assert all(rendered(text, "fr", language).values())
