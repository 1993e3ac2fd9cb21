"""Decide whether decoded text is real writing, or the garble of a wrong decoding.

An encoding detector always has a guess. This module checks the text of each guess: whether its characters
exist, the language has its letters, words begin with its capitals, and Vietnamese has its syllables.
`None` means that nothing contradicts the text; otherwise the result is the reason, as part of a sentence.
"""

from __future__ import annotations

import unicodedata

import regex

from store.errors import ReadError
from store.text.language import detect_language

ALPHABETS = {
    "af": "áäéèêëíîïóôöúûüý",
    "ca": "àçèéíïóòúü",
    "cs": "áčďéěíňóřšťúůýž",
    "da": "æøåéáóüöä",
    "de": "äöüßéàè",
    "en": "éèêëïçñôöüæœàâáíóúåäø",
    "es": "áéíóúüñ",
    "et": "äõöüšž",
    "eu": "ñçü",
    "fi": "åäöšžé",
    "fr": "àâæçéèêëîïôœùûüÿñ",
    "ga": "áéíóú",
    "gl": "áéíóúüñï",
    "hr": "čćđšž",
    "hu": "áéíóöőúüű",
    "id": "éèê",
    "is": "áéíóúýþðæö",
    "it": "àèéìíîòóùú",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūžōŗ",
    "ms": "éèê",
    "nl": "éëïöüóáèêäíúâîôûàç",
    "no": "æøåéèêóòâôäöü",
    "pl": "ąćęłńóśźżéü",
    "pt": "ãõáàâéêíóôúüçò",
    "ro": "ăâîșțşţ",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sl": "čšžćđ",
    "sq": "çë",
    "sv": "åäöéàüáèë",
    "sw": "",
    "tl": "ñáàâéèêíìîóòôúùû",
    "tr": "çğıöşüâîûi\u0307",
    "bs": "čćđšž",
}
"""Letters beyond a to z of the languages in Latin script, including those of names and loan words."""

_MARKUP = regex.compile(r"<[^<>\n]{1,500}>|&#?\w{1,10};")
_FORMULA = regex.compile(r"(?<!\S)(?:[!-~]*[\^_={}<>\\/|~#@][!-~]*|[-+*]?[b-hj-zB-HJ-Z])(?!\S)")
"""Formulas, addresses, dates such as "dd/mm/yyyy", names of variables."""
_QUOTED = regex.compile(r"„([^„“”\n]{1,300})[“”]|‚([^‚‘’\n]{1,300})[‘’]|‹([^‹›\n]{1,300})›")
"""Text between quotation marks in German, Polish or French style."""
_ILL_FORMED = regex.compile(r"[[\p{Cn}\p{Co}\p{Cs}\p{Cc}]--[\t\n\v\f\r\u001a\u0085]]", regex.V1)
_C1_CONTROLS = regex.compile(r"[\x80-\x9f]")
_SYMBOL = r"[[\p{S}\p{No}†‡‰¶§‚„‹›]--[\x00-\x7f²³¹°]]"
_ATTACHED_SYMBOL = regex.compile(rf"(?<=\p{{L}}){_SYMBOL}|{_SYMBOL}(?=\p{{L}})|(?<=\p{{L}})[‘“](?=\p{{L}})", regex.V1)
_MISPLACED_SIGN = regex.compile(
    r"(?<=[\p{L}\p{N}])[‘“”„‚](?=[\p{L}\p{N}])|\xa0(?=\s)|(?<=\s)\xa0|[^\x00-\x7f¹²³ªº](?<=\p{L})(?=\d)|(?<=\d)[^\x00-\x7fªº](?<=\p{L})|(?<=\s)”(?=\s)|(?<![\d\s])°|°(?=\p{Ll})|[£¥€§](?![\s\d])(?<![\d\s].)"
    r"|(?<=\p{L})[¿¡]|(?<![\d.])[ªº]|(?<=\s)[ÑÐÒÓÔÕ](?=\s)|±(?!\s?\d)|(?<=\p{Ll})×|[®™](?=\p{L})|«(?=\s\w)(?<=\d.)|(?<=\d)«"
)
_USUAL_SIGNS = "’‘“”„‚–—…•·«»‹›°½¼¾²³£€¥§©®™×±ªº\u00a0\u00ad\u2009\u202f\u200b"
_INVERTED_MARKS = ("es", "gl", "ca", "tl")
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*")
_INNER_CAPITAL = regex.compile(r"\p{Ll}\p{M}*\p{Lu}")
_MIXED_SCRIPTS = regex.compile(
    r"\p{Script=Latin}[\p{Script=Cyrillic}\p{Script=Greek}]|[\p{Script=Cyrillic}\p{Script=Greek}]\p{Script=Latin}"
)
_DIGIT_IN_WORD = regex.compile(r"\p{Ll}\d\p{Ll}?")
_REPLACED = regex.compile(r"(?<=\p{L})[?\ufffd]++(?=\p{L})|(?<![?\ufffd])[?\ufffd]++(?=\p{Ll})")
_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))
_VIETNAMESE_SYLLABLE = regex.compile(
    r"(?:(?:ngh?|nh|ch|gh?|gi|kh|ph|qu|th|tr|[bcdđhklmnrstvx])?"
    r"(?:[aăâeêioôơuưy]|a[iouy]|â[uy]|e[ou]|êu|i[aêu]|iê[um]?|o[aăei]|oa[iyo]|oe[o]?|ôi|ơi|oo|u[aâêiôơy]|uô[i]|uơ"
    r"|u[yâ][aêu]?|uyê|ư[aơiu]|ươ[iu]|y[êu]|yêu|uây|uya|oă)"
    r"(?:ch|ng|nh|[cmnpt])?)|g[iì](?:[nmcp])?"
)
_LANGUAGES_ALIKE = (
    frozenset({"no", "da", "nn", "sv", "is"}),
    frozenset({"id", "ms", "tl", "jv", "su"}),
    frozenset({"hr", "bs", "sr", "sl", "mk"}),
    frozenset({"cs", "sk"}),
    frozenset({"es", "gl", "ca", "pt", "ast", "oc"}),
    frozenset({"de", "nl", "lb", "af", "nds"}),
    frozenset({"ru", "bg", "uk", "be", "mk", "sr", "kk"}),
    frozenset({"ar", "fa", "ur", "ps"}),
    frozenset({"fi", "et"}),
    frozenset({"he", "yi"}),
    frozenset({"tr", "az"}),
)

FEWEST_PLAIN = 3
"""Words without marks: if there are fewer, a word of another language doesn't decide."""

MARKED_SYLLABLES = 0.93
PLAIN_SYLLABLES = 0.6
"""Least shares of Vietnamese syllables among a Vietnamese text's words with marks, and without."""


def objection(text: str, language: str | None = None) -> str | None:
    """Return why `text` can't be a right decoding of a text in `language`, or None.

    It is for a sample of a text whose encoding was guessed; UTF-8 needs no such check. Without `language`, any language
    is allowed.
    """
    text = prose(text)
    return _objection_to_characters(text) or _objection_to_words(text) or _objection_to_language(text, language)


def prose(text: str) -> str:
    """Return `text` without tags, formulas, addresses and code in ASCII, which show neither encoding nor language.

    Returns the text itself if it has little else.
    """
    words = _FORMULA.sub(" ", _MARKUP.sub(" ", text))
    return words if len(_WORD.findall(words)) > 2 else text


def damage(text: str) -> ReadError | None:
    """Return why a text must have lost characters before this file was saved, or None."""
    visible = sum(1 for character in text if not character.isspace())
    question_marks = text.count("?") + text.count("\ufffd")
    if visible >= 10 and question_marks > 0.3 * visible:
        return ReadError(
            "Most characters of this file were replaced by question marks before it was saved. Use the original file.",
            code="text_question_marks",
        )
    if text.count("\ufffd") > max(2, 0.001 * len(text)):
        return ReadError(
            "Some characters of this file were replaced by � before it was saved. Use the original file.",
            code="text_replaced",
        )
    prose = " ".join(word for word in text.split() if not ("=" in word or "&" in word or "://" in word))
    replaced = len(_REPLACED.findall(prose))
    if replaced >= 5 and replaced > 0.01 * len(_WORD.findall(prose)):
        return ReadError(
            "Letters inside the words of this file were replaced by question marks before it was saved. "
            "Use the original file.",
            code="text_inner_question_marks",
        )
    return None


def is_vietnamese(text: str) -> bool:
    """Return whether the words of `text` are Vietnamese syllables: nearly all of those with marks, and most of the
    others, which include names and foreign words.
    """
    text = prose(text)
    words = _WORD.findall(unicodedata.normalize("NFC", text))
    marked = [word for word in words if not word.isascii()]
    plain = [word for word in words if word.isascii() and word[0].islower()]
    return (
        bool(marked)
        and _share_of_syllables(marked) >= MARKED_SYLLABLES
        and (len(plain) < FEWEST_PLAIN or _share_of_syllables(plain) >= PLAIN_SYLLABLES)
        and len(_DIGIT_IN_WORD.findall(text)) <= 0.02 * len(words)
    )


def _share_of_syllables(words: list[str]) -> float:
    return sum(1 for word in words if _is_vietnamese_syllable(word)) / len(words)


def _is_vietnamese_syllable(word: str) -> bool:
    if _INNER_CAPITAL.search(word):
        return False
    plain = unicodedata.normalize("NFD", word.lower()).translate(_TONES)
    return bool(_VIETNAMESE_SYLLABLE.fullmatch(unicodedata.normalize("NFC", plain)))


def _objection_to_characters(text: str) -> str | None:
    if _ILL_FORMED.search(text) or _C1_CONTROLS.search(text):
        return "it would hold characters that don't exist"
    foreign = sum(1 for character in text if ord(character) > 127)
    if len(_ATTACHED_SYMBOL.findall(_QUOTED.sub(r'"\1\2\3"', text))) > 0.01 * foreign:
        return "its words would have symbols in them"
    return None


def _objection_to_words(text: str) -> str | None:
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    if sum(1 for word in words if _INNER_CAPITAL.search(word)) > 0.15 * len(words):
        return "it would have capitals inside its words"
    if sum(1 for word in words if _MIXED_SCRIPTS.search(word)) > 0.03 * len(words):
        return "its words would mix alphabets"
    return None


def _objection_to_language(text: str, language: str | None) -> str | None:
    found = detect_language(text)
    if language is None:
        language = found
    if (found == "und" and language != "und") or not _alike(found, language):
        return "what it says is in no language that is written so"
    if found == "vi":
        return None if is_vietnamese(text) else "its words would not be Vietnamese syllables"
    if found in ALPHABETS:
        beyond = [c for c in unicodedata.normalize("NFC", text).lower() if ord(c) > 127]
        usual = ALPHABETS[found] + _USUAL_SIGNS + ("¿¡" if found in _INVERTED_MARKS else "")
        if sum(1 for character in beyond if character not in usual) > 0.1 * len(beyond):
            return "it would have letters that its language lacks"
        if len(_MISPLACED_SIGN.findall(text)) > 0.05 * len(beyond):
            return "it would have signs where none are written"
    return None


def _alike(one: str, other: str) -> bool:
    return one == other or any(one in group and other in group for group in _LANGUAGES_ALIKE)
