"""Find names of a claim that its quotes lack, in Latin letters and in Thai, and match them carefully across scripts.

A name is rejected only if it is certainly a name and certainly absent: not in the words quoted, nor in the
document's title or speaker, nor there under a name in another language, nor by the sound of its consonants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

from assistant.verify.language_rules import all_rules, rules_of_text
from assistant.verify.number_words import roman_value
from assistant.verify.phonetics import LATIN_WORD, bare, latin_consonants, occurs, thai_consonants
from assistant.verify.places import entities_of, mentions
from assistant.verify.text import SENTENCE_START, has_thai
from assistant.verify.thai_names import thai_name_borne, thai_name_candidates

_TITLE_WORDS, _COMMON, _GENERIC = (
    frozenset(word for each in all_rules().values() for word in each.words(group))
    for group in ("titles", "common", "generic")
)
_WORD = (
    r"(?:\p{Lu}\.(?=\s?\p{Lu})|(?:Mr|Mrs|Ms|Dr|Prof|Amb|St)\.|"
    r"\p{Lu}[\p{Latin}\p{M}]*(?:['.\-&/][\p{Latin}\p{N}\p{M}]+)*)"
)
_RUN = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}])(?:{_WORD}|\p{{Lu}}[\p{{Latin}}\p{{N}}]+)"
    rf"(?:(?:\s+(?:of|on|and|for|de|la|von|van|bin|al)(?:\s+the)?)?\s+{_WORD})*"
)
_VIETNAMESE_SYLLABLE = regex.compile(
    r"(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?[aeiouy]{1,3}(?:ch|ng|nh|[cmnpt])?", regex.IGNORECASE
)
_PINYIN_SYLLABLE = (
    r"(?:[bpmfdtnlgkhjqxrzcsyw]|[zcs]h)?"
    r"(?:[iu]?ang|[iu]?an|[iu]?a[io]?|u?ai|i?ong|[ei]ng|[eiu]n|u?o|o?u|e?i|i?e|ue|[ou]i|i[ou]|er|a|e|i|o|u)"
)
_PINYIN = regex.compile(rf"(?:{_PINYIN_SYLLABLE}){{1,3}}(?:[\s'\-]+(?:{_PINYIN_SYLLABLE}){{1,3}})*", regex.IGNORECASE)
"""Chinese names, which Vietnamese transcribes in its own way: neither sound nor spelling shows that they are the same."""
STEM = 5
"""Letters that a derived name must share with the original; shorter names must be spelled alike."""
_ENDINGS = frozenset({"n", "an", "ian", "ese", "ish", "ic", "ans", "ians"})


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a folded text."""

    text: str
    is_thai: bool
    """Whether it is in Thai letters, for which sounds are compared; otherwise in Latin ones."""
    is_vietnamese: bool
    """Whether it comes from a Vietnamese text."""


def names_in(text: str) -> tuple[Name, ...]:
    """Return the certain names in a folded text: those in Latin letters, then those in Thai."""
    is_vietnamese = rules_of_text(text).language == "vi"
    latin = [name for name in latin_names(text) if not (is_vietnamese and _begins_a_noun(name))]
    thai = thai_name_candidates(text) if has_thai(text) else ()
    return (
        *(Name(name, is_thai=False, is_vietnamese=is_vietnamese) for name in latin),
        *(Name(name, is_thai=True, is_vietnamese=False) for name in thai),
    )


def _singular(name: str) -> str:
    """Return an English name without an ending that other languages don't have: "Normans", "Hinduism"."""
    return regex.sub(r"(?:ism|s)$", "", name) if len(name) > STEM else name


def _begins_a_noun(name: str) -> bool:
    """Return whether a Vietnamese name is one syllable: in "Trung tâm", the first capital covers the whole noun."""
    return " " not in name and not _is_acronym(name) and not entities_of(name) and _looks_vietnamese(name)


def is_borne(name: Name, quotes: Sequence[str], context: str = "") -> bool:
    """Return whether folded quotes or their context may contain `name`, in whatever script and language they are."""
    borne = " \n ".join([*quotes, context])
    if name.is_thai:
        return thai_name_borne(name.text, borne)
    return _latin_name_borne(name.text, quotes, borne, is_vietnamese=name.is_vietnamese)


def unsupported_name(claim: str, quotes: Sequence[str], context: str = "") -> str | None:
    """Return the first name of `claim` that no quote has, or None.

    Args:
        claim: A folded sentence without markers.
        quotes: The folded words that it is based on.
        context: Other texts that may have a name: titles and speakers of the quoted documents, folded.
    """
    return next((name.text for name in names_in(claim) if not is_borne(name, quotes, context)), None)


def latin_names(text: str) -> list[str]:
    """Return the names of a text, sequences of capitalized words, in order; its first word only if it surely is one."""
    names = []
    for match in _RUN.finditer(text):
        words = match.group().split()
        first = match.start()
        if SENTENCE_START.search(text[:first]):
            while words and _plain(words[0]) in _COMMON:
                words = words[1:]
            rest = match.group().split()
            alone = len(rest) == 1
            if alone and words and not entities_of(words[0]) and not _is_acronym(words[0]):
                words = []
        while words and _plain(words[-1]) in {"of", "on", "the", "and", "for", "de", "la"}:
            words = words[:-1]
        if words and not all(_plain(word) in _COMMON for word in words):
            names += _without_possession(words)
    return names


def _without_possession(words: Sequence[str]) -> list[str]:
    """Return the names in a sequence of words; a possession is not its owner, as in "Denver's General Manager"."""
    names: list[list[str]] = [[]]
    for word in words:
        names[-1].append(word.removesuffix("'s"))
        if word.endswith("'s"):
            names.append([])
    return [" ".join(name).strip(".,'") for name in names if name and not all(_plain(word) in _COMMON for word in name)]


def _is_acronym(word: str) -> bool:
    return len(word) >= 2 and word.isupper()


def _plain(word: str) -> str:
    return word.lower().strip(".,'").removesuffix("'s")


@lru_cache(maxsize=4096)
def _latin_words(text: str) -> frozenset[str]:
    words = set()
    for match in LATIN_WORD.finditer(text):
        word = match.group().lower().removesuffix("'s")
        words |= {word, bare(word), *regex.split("['-]", word), word.rstrip("s")}
    return frozenset(words)


def _latin_name_borne(name: str, quotes: Sequence[str], borne: str, *, is_vietnamese: bool) -> bool:
    known = _latin_words(borne)
    missing = [word for word in regex.split(r"\s+", name) if not _word_borne(word, known) and not _counted(word, borne)]
    missing = [part for word in missing for part in word.split("-") if part and not _word_borne(part, known)]
    missing = [word for word in missing if _plain(word) not in {*_COMMON, *_TITLE_WORDS}]
    if not missing:
        return True
    if (entities := entities_of(name)) or (entities := entities_of(" ".join(missing))):
        return mentions(borne, entities)
    specific = [word for word in missing if not (entities_of(word) and mentions(borne, entities_of(word)))]
    specific = [
        word for word in specific if not (_is_acronym(word.rstrip("s")) and _abbreviates(word.rstrip("s"), quotes))
    ]
    if not specific:
        return True
    if all(entities_of(word) or _plain(word) in _GENERIC for word in specific) and any(map(entities_of, specific)):
        return False
    generic = [word for word in specific if _plain(word) in _GENERIC]
    same_language = _shares_language(is_vietnamese and _looks_vietnamese(name), name, quotes)
    if len(generic) == len(specific):
        # "the Council" is no name by itself; "Ministry of Defense" is one, if its quote is in the same language.
        return not (same_language and len(generic) >= 2 and len(name.split()) >= 2)
    specific = [word for word in specific if word not in generic]
    return not same_language and _borne_across(" ".join(specific), quotes, borne)


def _counted(word: str, borne: str) -> bool:
    """Return whether `word` is a Roman numeral whose value `borne` has in digits."""
    value = roman_value(word)
    return value is not None and regex.search(rf"(?<!\d){value}(?!\d)", borne) is not None


def _abbreviates(acronym: str, quotes: Sequence[str]) -> bool:
    """Return whether a quote's words begin with the letters of an acronym, or no quote could show it."""
    told = False
    for quote in quotes:
        words = regex.findall(r"\p{Latin}+", quote)
        if len(words) < 3 and not any(map(_is_acronym, words)):
            continue
        told = True
        initials = "".join(word[0] for word in words).lower()
        capitals = "".join(word[0] for word in words if word[0].isupper()).lower()
        if acronym.lower() in initials or acronym.lower() in capitals:
            return True
    return not told


def _word_borne(word: str, known: frozenset[str]) -> bool:
    plain = _plain(word)
    if plain in known or plain.rstrip("s") in known or (bare(plain) in known and not _looks_vietnamese(word)):
        return True
    # "Amazon" in "Amazonian forests", and the reverse.
    if len(plain) >= STEM and plain.isascii() and any(_derived(plain, other) for other in known):
        return True
    if len(plain) > STEM and any(_is_misspelled(plain, other) for other in known):
        return True
    parts = [part for part in regex.split(r"[-/&.]", plain) if part]
    return len(parts) > 1 and all(part in known for part in parts)


def _derived(word: str, other: str) -> bool:
    short, long = sorted((word, other), key=len)
    return len(short) >= STEM and long.startswith(short) and long[len(short) :] in _ENDINGS


def _is_misspelled(word: str, other: str) -> bool:
    """Return whether long words differ by one letter, as names do between languages: "Konwiktorska", "Konwiktorka"."""
    if abs(len(word) - len(other)) > 1 or word[0] != other[0] or len(other) <= STEM:
        return False
    at = next((at for at, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), len(other))
    return word[at + 1 :] in (other[at:], other[at + 1 :]) or word[at:] == other[at + 1 :]


def _looks_vietnamese(word: str) -> bool:
    return all(_VIETNAMESE_SYLLABLE.fullmatch(bare(part)) is not None for part in regex.split("[- ]", word) if part)


def _shares_language(is_vietnamese: bool, name: str, quotes: Sequence[str]) -> bool:
    """Return whether any quote is in the language of `name`, as far as letters show: Vietnamese, or otherwise Latin.

    A word such as "Tòa" has no letter that only Vietnamese has; `is_vietnamese` says that its text is Vietnamese.
    """
    vietnamese = regex.compile(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", regex.IGNORECASE)
    marked = is_vietnamese or bool(vietnamese.search(name))
    for quote in quotes:
        letters = len(regex.findall(r"\p{L}", quote))
        latin = len(regex.findall(r"\p{Latin}", quote))
        if latin * 2 > letters and (len(vietnamese.findall(quote)) * 20 > latin) == marked:
            return True
    return False


def _borne_across(name: str, quotes: Sequence[str], borne: str) -> bool:
    """Return whether quotes in another language may have `name`: by sound in Thai, by spelling in Latin letters."""
    scripts_unknown = False
    for quote in quotes:
        if has_thai(quote):
            sounds = thai_consonants(quote)
            wanted = latin_consonants(_singular(name))
            if _looks_vietnamese(name) and bare(name) != name.lower():
                return True  # Vietnamese transcribes Chinese names differently from all other languages.
            if len(wanted) < 3 or occurs(wanted, sounds):
                return True
        elif regex.search(r"\p{Latin}", quote):
            if _looks_vietnamese(name):
                return True
            if regex.search(r"\(\p{Lu}\p{Latin}+(?:\s\p{Lu}\p{Latin}+)+\)", quote):
                continue  # A quote that gives names in both spellings would give this one too.
            if _PINYIN.fullmatch(bare(name)) and any(
                _looks_vietnamese(other) and not entities_of(other) for other in latin_names(quote)
            ):
                return True
        else:
            scripts_unknown = True
    return scripts_unknown
