"""Match identifiers: names such as "Article 15", "ข้อ ๑๓", "E-1043" or "A/RES/60/251" that mean one place in a text.

A question that names one is answered from the text that belongs to it, never from its neighbor. A sentence belongs to
an identifier if it contains it or comes below it: below a heading, after the beginning of a numbered paragraph, or in a
document with that title. If the texts have others of the kind but not the one named, nothing answers. If they have none
of the kind, the identifier has no effect. "Resolution 60/251" and "A/RES/60/251" are the same: the numbers of a code with
strokes also identify it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import regex
import yaml

from assistant.extractive_qa.structure import is_heading
from assistant.verify.number_reading import value_of_words
from assistant.verify.number_words import NUMBER_WORDS_BY_LANGUAGE, WordNumbers
from store.types import Hit

LABELS = Path(__file__).parent / "labels"
ASKS = "asks"
"""The key, in the files of labels, of the words that ask what a part says."""
_CODE = regex.compile(
    # A/RES/60/251, ISO/IEC 27001: capital letters and numbers joined by slashes; E-1043, NH 12, F210: letters, a
    # number. More than four letters before a number are a word, as in COVID-19.
    r"(?<![\p{L}\p{N}/-])(?:\p{Lu}{1,6}(?:/\p{Lu}{1,6})*(?:/\d{1,5})+(?:/[\p{Lu}\d.]{1,8})*"
    r"|\p{Lu}{1,4}[-–. ]?\d{1,6}(?:[-–./]\d{1,6}){0,3}\p{Lu}?)(?![\p{L}\p{N}])"
)
_SPACED = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Arabic}']")
"""A letter of a script with blanks between words."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_CHINESE = regex.compile(r"第\s?(\d{1,4}|[一二三四五六七八九十百]{1,7})\s?(条|條|章|节|節|步|届|屆|次)")
_CHINESE_KINDS = {
    "条": "provision",
    "條": "provision",
    "节": "provision",
    "節": "provision",
    "章": "chapter",
    "步": "step",
}
_CHINESE_DIGITS = {digit: value for value, digit in enumerate("一二三四五六七八九", start=1)}
_NUMBER = r"(?P<number>\p{Nd}{1,4}(?:\.\p{Nd}{1,3}){0,2}|[IVXLC]{1,7}(?![\p{L}]))"
RESOLUTION = "resolution"
"""The kind of document that has a number such as 60/251, and may be written as a code that ends with it."""
_RESOLUTION_NUMBER = r"(?P<number>\p{Nd}{1,4}/\p{Nd}{1,4}|\p{Nd}{3,5})"
_NUMBERS_OF_CODE = regex.compile(r"/(\d{1,4}/\d{1,4})$")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A kind, such as ``provision`` or the letters of a code, and a value, such as ``15``."""

    kind: str
    which: str
    text: str = field(default="", compare=False)
    """As it is written in the text."""


@dataclass(frozen=True, slots=True)
class _Found:
    identifier: Identifier
    start: int
    end: int


def identifiers_in(text: str) -> list[Identifier]:
    """Return the identifiers that `text` names, in order, each once."""
    return list(dict.fromkeys(found.identifier for found in _find(text)))


def with_digits(question: str) -> str:
    """Return `question` with digits for the number words after a part's name: "article nineteen" as "article 19".

    Only where no more words follow than those that ask what a part says, because "the meeting two delegates left" numbers
    nothing.
    """
    for words, pattern in _worded_parts():
        question = pattern.sub(partial(_in_digits, words), question)
    return question


def _in_digits(words: WordNumbers, match: regex.Match[str]) -> str:
    value = value_of_words(match["number"], words)
    # "Day one" is mostly the first, and "the meeting one of them left" numbers nothing.
    if not value or (value == 1 and _kind_of(match["label"].lower()) == "session"):
        return match[0]
    follows = match.string[match.end() : match.end() + 1]
    return f"{match['label']} {value}{' ' if follows.isalpha() else ''}"


def names_alone(text: str, titles: Iterable[str] = ()) -> bool:
    """Return whether `text` is only identifiers, words that ask what those say, and words of `titles`."""
    named = identifiers_in(text)
    rest = text
    for each in named:
        rest = rest.replace(each.text, " ")
    of_titles = {word for title in titles for word in _WORD.findall(title.lower())}
    rest = " ".join(word for word in _WORD.findall(rest.lower()) if word not in of_titles)
    return bool(named) and not regex.search(r"[\p{L}\p{N}]", _asking_pattern().sub("", rest))


def belongs(hit: Hit, above: str, named: Sequence[Identifier]) -> list[bool]:
    """Return for each sentence of a passage whether it belongs to one of the `named` identifiers.

    `above` is the heading above the passage; empty if there is none.
    """
    return [any(_is_same(one, other) for one in named for other in scope) for scope in _scopes(hit, above)]


def begins_with(sentence: str, named: Sequence[Identifier]) -> bool:
    """Return whether a sentence begins with one of the `named` identifiers, so that it says what that is."""
    return any(_is_same(one, other) for one in named for other in _leading(sentence).values())


def kinds_in(hits: Iterable[Hit], above: Mapping[str, str]) -> set[str]:
    """Return the kinds of identifiers for which a named one can be missing.

    Passages begin with those; resolutions are named within a text as well.
    """
    kinds: set[str] = set()
    for hit in hits:
        for text in (above.get(hit.passage.id, ""), hit.document.title):
            kinds |= {found.identifier.kind for found in _find(text) if found.start <= 1}
        for line in hit.text.splitlines():
            kinds |= {found.identifier.kind for found in _find(line[:60]) if found.start <= 2}
        if any(_number_of(found.identifier) for text in (hit.text, hit.document.title) for found in _find(text)):
            kinds.add(RESOLUTION)
    return kinds


def _is_same(one: Identifier, other: Identifier) -> bool:
    """Return whether both mean the same. Two codes must be equal, since their numbers may be."""
    if one == other:
        return True
    number = _number_of(one)
    return bool(number) and RESOLUTION in {one.kind, other.kind} and number == _number_of(other)


def _number_of(identifier: Identifier) -> str:
    """Return a resolution's number, such as 60/251; empty for other identifiers."""
    if identifier.kind == RESOLUTION:
        return identifier.which
    match = _NUMBERS_OF_CODE.search(identifier.which)
    return match[1] if match else ""


def _scopes(hit: Hit, above: str) -> Iterator[set[Identifier]]:
    """Yield the identifiers that each sentence of a passage belongs to, in order."""
    title = set(identifiers_in(hit.document.title))
    heading = _leading(above)
    paragraph: dict[str, Identifier] = {}
    start, last_end = hit.passage.start, hit.passage.start
    for sentence in hit.sentences:
        span = sentence.span
        words = hit.text[span.start - start : span.end - start]
        gap = hit.text[last_end - start : span.start - start]
        leading = _leading(words)
        if "\n" in gap or last_end == start:
            paragraph = dict(leading)
        if is_heading(hit, span) and leading:
            heading = heading | leading
        # A numbered paragraph below a heading of the same kind is independent of it.
        above_it = {each for kind, each in heading.items() if kind not in paragraph}
        yield title | set(identifiers_in(words)) | set(paragraph.values()) | above_it
        last_end = span.end
        if leading and not is_heading(hit, span) and _numbers_what_follows(leading):
            heading = heading | leading


def _numbers_what_follows(leading: dict[str, Identifier]) -> bool:
    """Return whether the number that a sentence begins with covers the next paragraphs too; a code's doesn't."""
    return any(kind in _labels() for kind in leading)


def _leading(text: str) -> dict[str, Identifier]:
    """Return the identifiers at the beginning of `text`, by kind."""
    first: dict[str, Identifier] = {}
    for found in _find(text[:80]):
        if found.start <= 2 or (first and found.start <= 40):
            first.setdefault(found.identifier.kind, found.identifier)
    return first


def _find(text: str) -> list[_Found]:
    found = [
        _Found(Identifier(_code_kind(match[0]), _plain(match[0]), match[0]), match.start(), match.end())
        for match in _CODE.finditer(text)
    ]
    for match in _label_pattern().finditer(text):
        kind = _kind_of(match["label"].lower())
        found.append(_Found(Identifier(kind, _value(match["number"]), match[0]), match.start(), match.end()))
    for match in _CHINESE.finditer(text):
        kind = _CHINESE_KINDS.get(match[2], "session")
        found.append(_Found(Identifier(kind, _value(match[1]), match[0]), match.start(), match.end()))
    return sorted(found, key=lambda each: each.start)


def _plain(code: str) -> str:
    """Return a code without joints: "E-1043", "E 1043" and "E1043" are the same; slashes separate."""
    return regex.sub(r"[-–. ]", "", code).upper()


def _code_kind(code: str) -> str:
    """Return the letters of a code, which all codes of a list share."""
    letters = regex.match(r"[\p{Lu}/]+", code)
    return letters[0].strip("/") if letters else code


def _value(number: str) -> str:
    """Return a number in ASCII digits, from digits of any script, and from Roman and Chinese numbers."""
    if regex.fullmatch(r"[IVXLC]+", number):
        values = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
        figures = [values[letter] for letter in number]
        pairs = zip(figures, [*figures[1:], 0], strict=True)
        return str(sum(-one if one < after else one for one, after in pairs))
    if number[0] in _CHINESE_DIGITS or number[0] in "十百":
        return str(_chinese_value(number))
    joint = "/" if "/" in number else "."
    return joint.join(str(int(part)) for part in number.split(joint))


def _chinese_value(number: str) -> int:
    total, digit = 0, 0
    for char in number:
        if char in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[char]
        else:
            total += max(digit, 1) * (10 if char == "十" else 100)
            digit = 0
    return total + digit


@cache
def _words() -> dict[str, tuple[str, ...]]:
    """Return the words in all languages' files by purpose: a kind of identifier, or `ASKS`."""
    merged: dict[str, list[str]] = {}
    for path in sorted(LABELS.glob("*.yaml")):
        for use, words in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            merged.setdefault(use, []).extend(words)
    return {use: tuple(words) for use, words in merged.items()}


@cache
def _labels() -> dict[str, tuple[str, ...]]:
    """Return the label words of all languages by kind."""
    return {kind: words for kind, words in _words().items() if kind != ASKS}


@cache
def _worded_parts() -> tuple[tuple[WordNumbers, regex.Pattern[str]], ...]:
    """Return for each language with number words what finds the name of a part before one, and the number."""
    found = []
    for tag, words in NUMBER_WORDS_BY_LANGUAGE.items():
        named = yaml.safe_load((LABELS / f"{tag}.yaml").read_text(encoding="utf-8"))
        labels = [each for kind, every in named.items() if kind not in {ASKS, RESOLUTION} for each in every]
        pattern = (
            rf"(?i:{_any_of(labels)}\s?(?P<number>{words.part}))"
            rf"(?=\s*(?:$|[^\p{{L}}\p{{M}}\p{{N}}\s-]|(?i:{_asking_pattern().pattern})))"
        )
        found.append((words, regex.compile(pattern)))
    return tuple(found)


@cache
def _asking_pattern() -> regex.Pattern[str]:
    words = sorted(_words()[ASKS], key=len, reverse=True)
    spaced = "|".join(regex.escape(word) for word in words if _SPACED.match(word))
    others = "|".join(regex.escape(word) for word in words if not _SPACED.match(word))
    return regex.compile(rf"\b(?:{spaced})\b|{others}")


def _kind_of(label: str) -> str:
    return next(kind for kind, words in _labels().items() if label in words)


@cache
def _label_pattern() -> regex.Pattern[str]:
    of_parts = [word for kind, words in _labels().items() if kind != RESOLUTION for word in words]
    parts = rf"{_any_of(of_parts)}\s?(?:no\.?\s)?{_NUMBER}"
    resolutions = rf"{_any_of(_labels()[RESOLUTION])}\s?(?:no\.?\s)?{_RESOLUTION_NUMBER}"
    return regex.compile(rf"(?i:{parts}|{resolutions})(?!\p{{Nd}})")


def _any_of(labels: Iterable[str]) -> str:
    words = sorted(labels, key=len, reverse=True)
    # Thai has no blank before a label, and often none after it; in other languages, a label is a separate word.
    thai = "|".join(regex.escape(word) for word in words if regex.match(r"\p{Thai}", word))
    others = "|".join(regex.escape(word) for word in words if not regex.match(r"\p{Thai}", word))
    found = [thai, rf"(?<![\p{{L}}\p{{N}}])(?:{others})" if others else ""]
    return f"(?P<label>{'|'.join(filter(None, found))})"
