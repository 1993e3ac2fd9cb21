"""Work out what a mistyped question was meant to be.

question -> other keyboard layout -> keys of an input method -> marks -> misspelt words
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import regex

from assistant.answer.dialogue.answer_language import without_marks
from assistant.answer.spelling.input_methods import decoded, methods
from assistant.answer.spelling.keyboards import in_other_layout
from assistant.answer.spelling.marks import OTHER, RARE, UNKNOWN, Word, likely_spellings
from assistant.answer.spelling.misspellings import mended
from assistant.answer.spelling.syllables import as_written, is_syllable, spellings
from assistant.answer.spelling.vocabulary import Vocabulary
from store.library import Library
from store.text.fold import fold
from store.text.language import detect_language
from store.text.spellings import NUMBER, bare
from store.text.word_lists import word_list
from store.types import Filter

VIETNAMESE = "vi"
LONGEST = 600
"""Code points. Longer questions are pasted rather than typed, so they are not examined."""
TYPED_WITH_MARKS = 0.35
"""The least share of words with marks, at which words without marks are taken to have none."""
_WORD = regex.compile(r"(?<![\p{L}\p{M}\p{N}_@./\\-])[\p{Latin}\p{M}]+(?![\p{L}\p{M}\p{N}_@/\\-]|\.\p{L})")
_NUMBER = regex.compile(r"(?<![\p{L}\p{M}\p{N}])\p{N}+(?![\p{L}\p{M}\p{N}])")
_CODE = regex.compile(r"[\p{Lu}\p{N}]{2,}|\p{L}*\p{Ll}\p{Lu}\p{L}*")


@dataclass(frozen=True, slots=True)
class Reading:
    """A corrected question."""

    text: str
    is_sure: bool = True
    """Whether the typed text means nothing; otherwise it is looked up too."""


def meant(text: str, library: Library, where: Filter) -> Reading | None:
    """Return what `text`, a question in NFC, was meant to be; None if it is right already."""
    if len(text) > LONGEST:
        return None
    vocabulary = Vocabulary(library, where)
    reading = Reading(text)
    for step in (_turned, _composed, _marked, _mended):
        reading = step(reading, vocabulary)
    return None if fold(reading.text) == fold(text) else reading


def _turned(reading: Reading, vocabulary: Vocabulary) -> Reading:
    other = in_other_layout(reading.text, vocabulary.pieces)
    return reading if other is None else replace(reading, text=other)


def _composed(reading: Reading, vocabulary: Vocabulary) -> Reading:
    """Return the text with keys of an input method turned into letters, if that makes more sense as a whole."""
    text = reading.text
    for method in methods():
        found = {
            place: word for place, word in decoded(text, method).items() if not _is_code(text[slice(*place)], text)
        }
        composed = _replaced(text, found)
        if found and _is_vietnamese(composed) and vocabulary.pieces(composed) < 0.85 * vocabulary.pieces(text):
            return replace(reading, text=composed)
    return reading


def _is_code(word: str, text: str) -> bool:
    """Return whether a word is an acronym or similar; not if the whole text is in capitals."""
    return not text.isupper() and _CODE.fullmatch(word) is not None


def _is_vietnamese(text: str) -> bool:
    return detect_language(text) == VIETNAMESE


def _marked(reading: Reading, vocabulary: Vocabulary) -> Reading:
    """Return the text with the most likely marks on its Vietnamese words."""
    text = reading.text
    if not (_is_vietnamese(text) or without_marks(text)):
        return reading
    found = [match for match in _WORD.finditer(text) if not _is_code(match[0], text)]
    with_marks = sum(bare(match[0]) != match[0].lower() for match in found)
    bare_typist = with_marks < TYPED_WITH_MARKS * len(found)
    words = [_word(match, vocabulary, bare_typist=bare_typist) for match in found]
    words += [Word(NUMBER, *match.span()) for match in _NUMBER.finditer(text)]
    words.sort(key=lambda word: word.start)
    spelled = likely_spellings(words, vocabulary)
    changes = {(word.start, word.end): each for word, each in zip(words, spelled, strict=True) if each != word.typed}
    return replace(reading, text=_replaced(text, changes))


def _word(match: regex.Match[str], vocabulary: Vocabulary, *, bare_typist: bool) -> Word:
    typed, letters = fold(match[0]), bare(match[0])
    near = _near(letters, vocabulary) if match[0].islower() else ()
    cost = OTHER
    if bare_typist and typed == letters:
        cost = 0.0
    elif match[0].islower() and not vocabulary.holds(typed):
        cost = RARE if is_syllable(typed) else UNKNOWN
    return Word(typed, match.start(), match.end(), cost, near)


def _near(letters: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return words of the library one keystroke from a word that is unknown and impossible."""
    if len(letters) < 4 or vocabulary.spellings([letters])[letters] or vocabulary.rank(letters) is not None:
        return ()
    if any(vocabulary.rank(each) is not None for each in spellings(letters)):
        return ()
    near = word_list("en").edit_distance_1(letters)
    return tuple(sorted(word for word, held in vocabulary.spellings(near).items() if held))


def _mended(reading: Reading, vocabulary: Vocabulary) -> Reading:
    changes = mended(reading.text, detect_language(reading.text), vocabulary)
    return Reading(_replaced(reading.text, changes), is_sure=False) if changes else reading


def _replaced(text: str, changes: Mapping[tuple[int, int], str]) -> str:
    """Return `text` with the words at these positions replaced, in the case that was typed."""
    for (start, end), word in sorted(changes.items(), reverse=True):
        text = text[:start] + _case(text[start:end])(as_written(word)) + text[end:]
    return text


def _case(typed: str) -> Callable[[str], str]:
    if len(typed) > 1 and typed.isupper():
        return str.upper
    return str.capitalize if typed[0].isupper() else str
