"""Find names that documents give in two languages, one in brackets: "องค์การอนามัยโลก (World Health Organization)".

A rule that spells a name in other letters makes mistakes with Thai names, and no rule translates an organization's name.
What an author wrote next to a name is neither our guess nor our translation. A pair counts only if it is clear where its
first name begins: at a title, a word for a kind of organization, or after a word that belongs to no name. For a person in
Thai letters, both must also sound alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import regex

from assistant.verify.language_rules import all_rules
from assistant.verify.names import latin_names
from assistant.verify.phonetics import latin_consonants, occurs, thai_consonants
from assistant.verify.places import entities_of
from assistant.verify.text import has_thai

LATIN = "und-Latn"
"""The language of a name in Latin letters that isn't recognizably Vietnamese: English, an acronym, any spelling."""
_BRACKETED = regex.compile(r"(?P<before>[^\n()（）\[\]]{2,120}?)\s?[(（](?P<inner>[^()（）\[\]\n]{2,80})[)）]")
_NAME = regex.compile(
    r"\p{Lu}[\p{Latin}\p{M}\p{N}.'’&\-]*(?:\s(?:(?:of|for|on|and|the|de|la|in)\s)*\p{Lu}[\p{Latin}\p{M}\p{N}.'’&\-]*)*"
)
_VIETNAMESE = regex.compile(
    r"[ăđơưĂĐƠƯạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ]"
)
_THAI_RUN = regex.compile(r"[\p{Thai}ฯ.]+(?: [\p{Thai}ฯ.]+)*$")
_SYLLABLES = regex.compile(r"[\p{Latin}\p{M}]+(?: [\p{Latin}\p{M}]+)*$")
LOWER_BETWEEN = 3
"""Small words between capitalized syllables in one Vietnamese name: "Rà soát định kỳ phổ quát"."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One name in two languages."""

    one: str
    other: str


def pairs(text: str) -> Iterator[Pair]:
    """Yield the pairs of names in `text`."""
    for found in _BRACKETED.finditer(text):
        inner = found["inner"].strip(" “”\"'")
        if not (_NAME.fullmatch(inner) or (has_thai(inner) and not regex.search(r"[\p{Latin}\p{N}]", inner))):
            continue
        one = _name_at_end(found["before"].rstrip(' ”"'), inner)
        if one and language_of(one) != language_of(inner) and not _only_locates(one, inner):
            yield Pair(one, inner)


def in_language(name_in: str, language: str, texts: Iterable[str]) -> dict[str, str]:
    """Return the names in `name_in` that `texts` also give in `language`, each with its form there, longest first."""
    wanted = {"th": ("th",), "vi": ("vi", LATIN), "en": (LATIN,)}.get(language.partition("-")[0], ())
    said: dict[str, str] = {}
    for pair in (pair for text in texts for pair in pairs(text)):
        for name, other in ((pair.one, pair.other), (pair.other, pair.one)):
            if language_of(other) in wanted and language_of(name) not in wanted[:1] and _stands_in(name, name_in):
                said.setdefault(name, other)
    names = sorted(said, key=len, reverse=True)
    return {name: said[name] for place, name in enumerate(names) if not any(name in longer for longer in names[:place])}


def language_of(name: str) -> str:
    """Return the language of a name, as far as its letters show."""
    if has_thai(name):
        return "th"
    return "vi" if _VIETNAMESE.search(name) else LATIN


def _stands_in(name: str, text: str) -> bool:
    if has_thai(name):
        return name in text
    return regex.search(rf"(?<![\p{{L}}\p{{N}}]){regex.escape(name)}(?![\p{{L}}\p{{N}}])", text) is not None


def _only_locates(one: str, inner: str) -> bool:
    """Return whether brackets only say where something is: "Somchai (Chiang Mai)"."""
    place = entities_of(inner)
    return bool(place) and not place & entities_of(one)


def _is_acronym(name: str) -> bool:
    return " " not in name and sum(map(str.isupper, name)) >= 2


def _name_at_end(before: str, inner: str) -> str | None:
    """Return the name that `before` ends with, if its start is certain; `inner` is the name in the brackets."""
    if has_thai(before[-1:]):
        return _thai_person(before, inner) or _thai_body(before)
    if _VIETNAMESE.search(before):
        return _vietnamese(before, inner)
    name = next(reversed(latin_names(before)), None)
    return name if name and before.endswith(name) else None


def _thai_person(before: str, inner: str) -> str | None:
    """Return as many Thai words as `inner` has, without a title, if they sound like it."""
    run = _THAI_RUN.search(before)
    words = run[0].split(" ") if run else []
    wanted = latin_consonants(inner)
    if _is_acronym(inner) or len(words) < len(inner.split()) or len(wanted) < 2:
        return None
    titles = "|".join(sorted(map(regex.escape, all_rules()["th"].words("honorifics")), key=len, reverse=True))
    name = regex.sub(rf"^(?:{titles})\s?", "", " ".join(words[-len(inner.split()) :]))
    sounds = thai_consonants(name)
    # Thai also writes some vowels with the letters of consonants.
    is_alike = occurs(wanted, sounds) and len(sounds) <= len(wanted) * 4 / 3 and sounds[:1] == wanted[:1]
    return name if is_alike else None


def _thai_body(before: str) -> str | None:
    """Return the last Thai word from the word for a kind of body at its start, after a blank or a joining word."""
    rules = all_rules()["th"]
    run = _THAI_RUN.search(before)
    kinds = "|".join(map(regex.escape, rules.words("bodies")))
    joins = "|".join(map(regex.escape, rules.words("before_names")))
    found = regex.search(rf"(?:^|{joins})(?P<name>(?:{kinds})\p{{Thai}}{{3,}})", run[0].split(" ")[-1]) if run else None
    return str(found["name"]) if found else None


def _vietnamese(before: str, inner: str) -> str | None:
    """Return the syllables at the end of `before`, from the first capitalized one that belongs to them."""
    run = _SYLLABLES.search(before)
    if run is None:
        return None
    rules = all_rules()["vi"]
    words = run[0].split(" ")
    start = _first_of_name(words, frozenset(rules.words("joining")))
    titles = sorted((title.split() for title in rules.words("honorifics")), key=len, reverse=True)
    if start is None:
        return None
    for title in titles:
        if [word.lower() for word in words[start : start + len(title)]] == title and len(words) > start + len(title):
            start += len(title)
            break
    name = words[start:]
    is_person = all(word[:1].isupper() for word in name)
    return " ".join(name) if len(name) >= 2 and not (is_person and _is_acronym(inner)) else None


def _first_of_name(words: list[str], joining: frozenset[str]) -> int | None:
    """Return where the name at the end of `words` begins; None if a name may continue before a joining word."""
    start: int | None = None
    small = 0
    for place in reversed(range(len(words))):
        if words[place].lower() in joining and words[place].islower():
            before = words[max(0, place - LOWER_BETWEEN - 1) : place]
            return None if any(word[:1].isupper() for word in before) else start
        small = 0 if words[place][:1].isupper() else small + 1
        if small > LOWER_BETWEEN:
            break
        start = start if small else place
    return start
