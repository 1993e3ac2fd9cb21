"""Find whether a written sentence answers: a true one may still only repeat the question, or miss what was asked.

The rules reject only obvious cases; sentences in languages without data pass.
"""

from __future__ import annotations

import regex

from assistant.verify.language_rules import rules_of
from assistant.verify.number_reading import numbers_in
from assistant.verify.text import content_words, fold, has_thai, strip_markers

LONGEST_LOOP = 120
"""Code points of a piece that a repeating model may produce again and again."""
_LOOP = regex.compile(rf"(?s)(.{{6,{LONGEST_LOOP}}}?)\1\1$")
STEM = 5
"""Initial letters that two words must share to count as one."""


def loops(text: str) -> bool:
    """Return whether the end of `text` repeats the same three times in a row, or returns to the same few words."""
    tail = text[-3 * LONGEST_LOOP :]
    if _LOOP.search(tail) or _LOOP.search(tail.rstrip() + " "):
        return True
    words = content_words(fold(tail))
    triples = [words[at : at + 3] for at in range(len(words) - 2)]
    return any(triples.count(triple) >= 3 for triple in set(triples))


def misses(question: str, sentence: str, language: str) -> str | None:
    """Return why `sentence` does not answer `question`, as the end of "it ..."; None if nothing is clearly wrong."""
    words = rules_of(language)
    if words is None:
        return None
    asked, said = fold(question), fold(strip_markers(sentence))
    if said.endswith("?"):
        return "asks instead of answering"
    if not words.pattern("yes_no").search(asked) and not _adds(asked, said):
        return "only repeats the question"
    if words.pattern("when").search(asked) and not _tells(said, words.pattern("time")):
        return "does not say when"
    if words.pattern("how_many").search(asked) and not _tells(said, words.pattern("amount")):
        return "does not say how many"
    return None


def _tells(said: str, words: regex.Pattern[str]) -> bool:
    return bool(regex.search(r"\d", said) or numbers_in(said, strict=False) or words.search(said))


def _adds(asked: str, said: str) -> bool:
    """Return whether `said` has a content word that `asked` does not have."""
    known = content_words(asked)
    new = [word for word in content_words(said) if not any(_alike(word, other) for other in known)]
    if has_thai(said):
        # Segmentation depends on neighboring words, so text that the question contains literally isn't new.
        new = [word for word in new if word not in asked]
    return bool(new)


def _alike(word: str, other: str) -> bool:
    """Return whether two words begin alike, so that "voted" isn't new after "vote"; numbers must be equal."""
    if has_thai(word) or any(c.isdigit() for c in word) or min(len(word), len(other)) < 3:
        return word == other
    return word.startswith(other[:STEM]) or other.startswith(word[:STEM])
