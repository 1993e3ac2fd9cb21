"""The page warns, in its language, about pages without text and pages recognized from pictures."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.server.page.file_warnings import told_signs, told_signs_of_quote
from assistant.server.strings import languages, strings
from ingest.parse import in_ranges
from store.types import Span
from tests.store.building import parsed

DOCUMENT = parsed("รายงาน.pdf", "Báo cáo.").document


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("sign", ["unread", "recognized"])
def test_pages_without_text_are_counted_and_named(sign: str, language: str) -> None:
    words = strings(language)
    document = replace(DOCUMENT, signs=("title", f"{sign}:2-4,7/9"))
    title, pages = told_signs(document, words)
    assert title == words("sign.title")
    assert pages == words(f"sign.{sign}", count=4, total=9, pages="2-4, 7")
    assert re.findall(r"\d+", pages) == ["4", "9", "2", "4", "7"]


def test_a_single_page_is_one_page() -> None:
    assert told_signs(replace(DOCUMENT, signs=("unread:3/4",)), strings("en"))[0].startswith("1 of 4 pages")


def test_a_sign_of_a_newer_version_is_left_out() -> None:
    assert told_signs(replace(DOCUMENT, signs=("folded:3/4", "folded")), strings("en")) == []


@pytest.mark.parametrize("language", languages())
@given(pages=st.sets(st.integers(1, 12), min_size=1), start=st.integers(0, 119), length=st.integers(1, 40))
def test_a_quote_says_recognized_only_where_its_own_page_was(
    language: str, pages: set[int], start: int, length: int
) -> None:
    words = strings(language)
    sign = f"recognized:{in_ranges(sorted(pages))}/12"
    read = replace(DOCUMENT, signs=(sign,), pages=tuple(range(0, 120, 10)))
    end = min(120, start + length)
    own = set(range(start // 10 + 1, (end - 1) // 10 + 2))
    told = told_signs_of_quote(read, Span(start, end), words)
    assert told == ([words("sign.recognized.quote")] if own & pages else [])
