"""The interface's languages are complete, without unused words, and follow the browser's preference."""

from __future__ import annotations

import re
import string

import pytest

from assistant.server.page.routes import STATIC
from assistant.server.strings import DEFAULT, chosen, languages, strings
from tests.page.conftest import Visit, Visitors

REFERENCE = strings(DEFAULT).words


def fields(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


@pytest.mark.parametrize("language", languages())
def test_each_language_has_every_word_with_the_same_blanks_to_fill(language: str) -> None:
    words = strings(language).words
    if language != DEFAULT:  # the English sentences of errors stand where they are raised
        words = {key: value for key, value in words.items() if not key.startswith("error.")}
    assert words.keys() == REFERENCE.keys()
    assert all(value.strip() for value in words.values())
    assert {key: fields(value) for key, value in words.items()} == {
        key: fields(value) for key, value in REFERENCE.items()
    }


@pytest.mark.parametrize("language", [tag for tag in languages() if tag != DEFAULT])
def test_no_sentence_is_left_in_english(language: str) -> None:
    same = {key for key, value in strings(language).words.items() if value == REFERENCE.get(key) and " " in value}
    assert same == set()


def test_every_word_that_the_page_asks_for_is_there_and_every_word_is_asked_for() -> None:
    sources = [*STATIC.glob("*.js"), *STATIC.glob("*.html"), *STATIC.parents[1].rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    asked = set(re.findall(r"""data-t(?:-label|-placeholder)?="([a-z.]+)\"""", text))
    asked |= set(re.findall(r"""\bt\(["']([a-z.]+)["']""", text))
    asked |= set(re.findall(r"""\bwords\(\s*["']([a-z.]+)["']""", text))
    asked = {key for key in asked if not key.endswith(".")}  # built, like "support." + a verdict
    assert asked - REFERENCE.keys() == set()
    unused = {key for key in REFERENCE if f'"{key}"' not in text and f"'{key}'" not in text}
    built = (
        "found.time.",
        "confidence.",
        "found.role.",
        "support.",
        "mode.",
        "intake.",
        "state.",
        "evaluation.",
        "tokens.right.",
        "name",
    )
    assert {key for key in unused if not key.startswith(built)} == set()


@pytest.mark.parametrize(
    ("wish", "header", "language"),
    [
        (None, "th-TH,th;q=0.9,en;q=0.8", "th"),
        (None, "de;q=0.9, vi;q=0.5, en;q=0.4", "vi"),
        (None, "en;q=0.1,th;q=0.0,vi;q=0.2", "vi"),
        ("vi", "th", "vi"),
        ("xx", "", "en"),
        (None, ";;q=,,\x00" * 500, "en"),
    ],
)
def test_the_browsers_languages_choose_unless_the_user_did(wish: str | None, header: str, language: str) -> None:
    assert chosen(wish, header).language == language


@pytest.mark.parametrize(("locale", "placeholder"), [("th-TH", "th"), ("vi-VN", "vi"), ("de-DE", "en")])
def test_the_page_speaks_the_browsers_language(visitors: Visitors, locale: str, placeholder: str) -> None:
    visit = visitors.open(locale=locale)
    words = strings(placeholder)
    assert visit.page.get_attribute("#question", "placeholder") == words("question.placeholder")
    assert visit.page.evaluate("document.documentElement.lang") == placeholder
    visit.ask("warning bells villages")
    assert words("confidence.high") in visit.page.locator(".confidence").inner_text()


def test_the_language_can_be_switched_and_is_remembered(visit: Visit) -> None:
    visit.page.select_option("#ui-language", "th")
    visit.page.wait_for_function("document.documentElement.lang == 'th'")
    visit.page.wait_for_selector("#question")
    visit.page.reload()
    visit.page.wait_for_selector("#question")
    assert visit.page.get_attribute("#question", "placeholder") == strings("th")("question.placeholder")
    assert visit.page.input_value("#ui-language") == "th"
