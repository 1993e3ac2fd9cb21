"""Restore the marks of Vietnamese words, using the spellings in the library and in the examples of turns.

Of all spellings that the syllables can stand for, the sequence with the most probable pairs of syllables is taken
(Viterbi 1967). A pair that was never seen is estimated from the single syllables:

    p(b | a) ~ (count(a b) + ALONE * count(b)) / (count(a) + UNSEEN)

Counts are passages of the library that contain a pair, and examples. A syllable that neither contains is as frequent as
in the embedding model's vocabulary. Marks that were typed are changed only if that makes the sequence far more
probable.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from assistant.answer.dialogue.classifier import load_examples
from assistant.answer.spelling.syllables import spellings
from assistant.answer.spelling.vocabulary import Vocabulary
from store.text.spellings import BESIDE, NUMBER, SPELLED, bare, spelling_terms

ALONE = 0.01
"""The weight of a syllable as the second of a pair that was never seen."""
UNSEEN = 5.0
"""Added to the count of a syllable: with few occurrences, its neighbors say less."""
FROM_EXAMPLES = 1.0
"""The weight of an example relative to a passage of the library."""
FROM_MODEL = 0.5
"""Passages that the embedding model's vocabulary counts as, shared by the spellings of a syllable."""
OTHER = 6.0
"""How much the logarithm of the text's probability must rise to change a known word."""
RARE = 3.0
"""The same for an unknown word that could be a Vietnamese syllable."""
UNKNOWN = 1.0
"""The same for an unknown word that couldn't."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word in folded form with its position in the question."""

    typed: str
    start: int
    end: int
    cost: float = OTHER
    """0 for a word without marks by somebody who types none, otherwise `OTHER`, `RARE` or `UNKNOWN`."""
    others: tuple[str, ...] = ()
    """Further bare forms that it may stand for."""


def likely_spellings(words: Sequence[Word], vocabulary: Vocabulary) -> list[str]:
    """Return the likeliest spelling of each of `words`, which are consecutive."""
    if not words:
        return []
    letters = [(bare(word.typed), *word.others) for word in words]
    vocabulary.spellings(each for all_of_word in letters for each in all_of_word)
    single = [_single(word, each, vocabulary) for word, each in zip(words, letters, strict=True)]
    best: dict[str, tuple[float, tuple[str, ...]]] = {}
    for spelled, count in single[0].items():
        best[spelled] = (math.log(count) - _cost(words[0], spelled), (spelled,))
    for place in range(1, len(words)):
        adjacent = words[place].start == words[place - 1].end + 1
        pairs = _pairs(letters[place - 1], letters[place], vocabulary) if adjacent else {}
        following: dict[str, tuple[float, tuple[str, ...]]] = {}
        for spelled, count in single[place].items():
            cost = _cost(words[place], spelled)
            score, path = max(
                (before + _follows(single[place - 1][last], pairs.get(last, {}), spelled, count) - cost, path)
                for last, (before, path) in best.items()
            )
            following[spelled] = (score, (*path, spelled))
        best = following
    return list(max(best.values())[1])


def _follows(first: float, pairs: Mapping[str, float], spelled: str, count: float) -> float:
    """Return the logarithm of the probability of `spelled` after a syllable that occurs `first` times."""
    return math.log((pairs.get(spelled, 0.0) + ALONE * count) / (max(first, sum(pairs.values())) + UNSEEN))


def _cost(word: Word, spelled: str) -> float:
    return 0.0 if spelled == word.typed else word.cost


def _single(word: Word, letters: Sequence[str], vocabulary: Vocabulary) -> dict[str, float]:
    """Return the spellings of a word with their counts."""
    if word.typed == NUMBER:
        return {NUMBER: 1.0}
    weights: dict[str, float] = defaultdict(float)
    for each in letters:
        for spelled, count in vocabulary.spellings([each])[each].items():
            weights[spelled] += count
        for spelled, count in _examples().get(each, {}).items():
            weights[spelled] += FROM_EXAMPLES * count
        ranks = {spelled: vocabulary.rank(spelled) for spelled in set(spellings(each))}
        common = {spelled: 1 / (1 + rank) for spelled, rank in ranks.items() if rank is not None}
        for spelled, weight in common.items():
            weights[spelled] += FROM_MODEL * weight / sum(common.values())
    weights[word.typed] += 1e-3
    if word.cost > UNKNOWN:  # then only its neighbors can justify another spelling
        return dict.fromkeys(weights, 1.0)
    return dict(weights)


def _pairs(first: Sequence[str], second: Sequence[str], vocabulary: Vocabulary) -> dict[str, dict[str, float]]:
    """Return for each spelling of the first word how often each spelling of the second follows it."""
    keys = [f"{one}{BESIDE}{other}" for one in first for other in second]
    counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for key, found in vocabulary.spellings(keys).items():
        for pair, count in (Counter(found) + Counter(_examples().get(key, {}))).items():
            one, _, other = pair.partition(BESIDE)
            counts[one][other] += count
    return counts


@cache
def _examples() -> dict[str, Counter[str]]:
    """Return the words and pairs of the Vietnamese examples of turns, in the form of a library's spellings."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for example in load_examples():
        if example.language == "vi" and bare(example.text) != example.text.lower():
            for term in spelling_terms(example.text, "vi"):
                letters, _, spelled = term.partition(SPELLED)
                found[letters][spelled] += 1
    return dict(found)
