"""Change questions as people confuse or misspell them: ask another thing about the same subject, and type carelessly.

A reader trained only on questions about other texts considers "how many pages has the report" answered by a report that
states how many recommendations it makes. These negatives ask another thing in the same frame. The careless forms keep
the answer, so that unusual wording alone doesn't mean "no answer".
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import yaml

COMMON = 0.01
"""Share of questions above which a word counts as part of the frame, which stays."""
ALIKE = 4
"""Words that share this many initial letters count as forms of one word."""
LATIN_WORD = re.compile(r"[^\W\d_]{3,}")
QUESTION_WORDS = Path(__file__).parent / "data" / "question_words.yaml"


@cache
def question_words() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return per language the words that ask for each kind of thing."""
    content: dict[str, dict[str, list[str]]] = yaml.safe_load(QUESTION_WORDS.read_text(encoding="utf-8"))
    return content


class OtherThings:
    """The things that questions of one set ask for, by the word before them: "how many" pages, votes, villages."""

    def __init__(self, questions: Sequence[tuple[str, str]]) -> None:
        """Count the words of `questions`, pairs of language and text."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        sizes = Counter(language for language, _ in questions)
        self._after: dict[tuple[str, str], list[str]] = defaultdict(list)
        for language, text in questions:
            words = text.split()
            counts[language].update({word.lower() for word in words})
            for before, word in pairwise(words):
                if LATIN_WORD.fullmatch(word):
                    self._after[language, before.lower()].append(word)
        self._common = {
            language: {word for word, count in counter.items() if count > COMMON * sizes[language]}
            for language, counter in counts.items()
        }

    def ask_another(self, language: str, question: str, texts: Sequence[str], chance: random.Random) -> str | None:
        """Return `question` asking for something else that none of `texts` names; None if it has no place for it."""
        kinds = question_words().get(language)
        if kinds and chance.random() < (0.8 if language == "th" else 0.3):
            changed = _another_kind(question, kinds, chance)
            if changed is not None:
                return changed
        return self._another_word(language, question, " ".join(texts).lower(), chance)

    def _another_word(self, language: str, question: str, folded: str, chance: random.Random) -> str | None:
        words = question.split()
        common = self._common.get(language, set())
        places = [
            at
            for at in range(1, len(words))
            if LATIN_WORD.fullmatch(words[at].strip("?,.")) and words[at].lower() not in common
        ]
        chance.shuffle(places)
        for at in places[:3]:
            bare = words[at].strip("?,.")
            others = self._after.get((language, words[at - 1].lower()), [])
            for _ in range(4):
                if len(others) < 4:
                    break
                other = chance.choice(others)
                new = other.lower() not in folded and other.lower()[:ALIKE] != bare.lower()[:ALIKE]
                if new and other.lower() not in common and other[0].isupper() == bare[0].isupper():
                    return " ".join([*words[:at], words[at].replace(bare, other), *words[at + 1 :]])
        return None


def _another_kind(question: str, kinds: Mapping[str, Sequence[str]], chance: random.Random) -> str | None:
    """Return the question with its question word replaced by one for another kind of thing."""
    folded = question.lower()
    found = [(word, kind) for kind, words in kinds.items() for word in words if word in folded]
    if not found:
        return None
    word, kind = max(found, key=lambda pair: len(pair[0]))
    # "How many people" and "how many countries" are kinds of one family: a near miss stays within it.
    family = kind.split("/")[0]
    near = [each for each in kinds if each != kind and each.split("/")[0] == family]
    far = [each for each in kinds if each.split("/")[0] != family]
    pool = near if near and chance.random() < 0.7 else far
    if not pool:
        return None
    other = chance.choice(list(kinds[chance.choice(pool)]))
    at = folded.index(word)
    if at == 0:
        other = other[:1].upper() + other[1:]
    return question[:at] + other + question[at + len(word) :]


def typed_carelessly(language: str, question: str, chance: random.Random) -> str:
    """Return `question` as people type it: without diacritics, without capitals, with a typo, without its mark."""
    draw = chance.random()
    if language == "vi" and draw < 0.3:
        return without_diacritics(question)
    if draw < 0.5:
        return question.lower()
    if draw < 0.7:
        return question.rstrip("?？؟ ")
    if draw < 0.85 and len(question) > 12:
        at = chance.randrange(3, len(question) - 3)
        return question[:at] + question[at + 1] + question[at] + question[at + 2 :]
    words = question.split()
    if len(words) > 5:
        dropped = chance.randrange(1, len(words) - 1)
        if len(words[dropped]) <= 3 and not any(map(str.isdigit, words[dropped])):
            return " ".join(words[:dropped] + words[dropped + 1 :])
    return question


def without_diacritics(text: str) -> str:
    """Return Vietnamese text as typed on a keyboard without diacritics."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in plain if not unicodedata.combining(char))
