"""Whether a written sentence answers at all: it may be true and yet only repeat the question, or miss what was asked.

Rules for English, Thai and Vietnamese, written to accuse only where it is plain; sentences in other languages pass.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import regex
import yaml

from assistant.verify.numbers import numbers_in
from assistant.verify.polarity import content_words
from assistant.verify.text import fold, has_thai, strip_markers

LONGEST_LOOP = 120
"""Code points of a piece that a model that is caught in a loop says again and again."""
_LOOP = regex.compile(rf"(?s)(.{{6,{LONGEST_LOOP}}}?)\1\1$")
STEM = 5
"""Letters by which two words count as one."""


def loops(text: str) -> bool:
    """Whether the end of `text` says the same three times in a row, or keeps coming back to the same few words."""
    tail = text[-3 * LONGEST_LOOP :]
    if _LOOP.search(tail) or _LOOP.search(tail.rstrip() + " "):
        return True
    words = content_words(fold(tail))
    triples = [words[at : at + 3] for at in range(len(words) - 2)]
    return any(triples.count(triple) >= 3 for triple in set(triples))


def misses(question: str, sentence: str, language: str) -> str | None:
    """Why `sentence` does not answer `question`, as the end of "it ..."; None where nothing is plainly wrong."""
    words = _words(language)
    if words is None:
        return None
    asked, said = fold(question), fold(strip_markers(sentence))
    if said.endswith("?"):
        return "asks instead of answering"
    if not regex.search(words["yes_no"], asked) and not _adds(asked, said):
        return "only repeats the question"
    if regex.search(words["when"], asked) and not _tells(said, words["time"]):
        return "does not say when"
    if regex.search(words["how_many"], asked) and not _tells(said, words["amount"]):
        return "does not say how many"
    return None


def _tells(said: str, words: str) -> bool:
    return bool(regex.search(r"\d", said) or numbers_in(said, strict=False) or regex.search(words, said))


def _adds(asked: str, said: str) -> bool:
    """Whether `said` has a word that carries meaning and that `asked` does not have."""
    known = content_words(asked)
    new = [word for word in content_words(said) if not any(_alike(word, other) for other in known)]
    if has_thai(said):
        # Words are cut differently beside other words: what stands in the question letter by letter is no news.
        new = [word for word in new if word not in asked]
    return bool(new)


def _alike(word: str, other: str) -> bool:
    """Whether two words begin alike, so that "voted" is no news after "vote"; numbers are what they are."""
    if has_thai(word) or any(c.isdigit() for c in word) or min(len(word), len(other)) < 3:
        return word == other
    return word.startswith(other[:STEM]) or other.startswith(word[:STEM])


@cache
def _lists() -> dict[str, dict[str, str]]:
    lists: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("relevance.yaml").read_text(encoding="utf-8"))
    return {language: {name: f"(?i){pattern}" for name, pattern in each.items()} for language, each in lists.items()}


def _words(language: str) -> dict[str, str] | None:
    return _lists().get(language.partition("-")[0])
