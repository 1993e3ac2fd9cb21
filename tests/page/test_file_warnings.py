"""A reader is told, in the page's language, which pages have no text and which were recognized from pictures."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from assistant.server.file_warnings import told_signs
from assistant.server.strings import languages, strings
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
