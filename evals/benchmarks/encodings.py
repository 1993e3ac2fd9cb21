"""How many texts in old encodings are decoded rightly, refused, or wrongly.

Encodes the Universal Declaration of Human Rights (`udhr/html`) in every encoding that its languages
were written in, whole and in fragments of 1,000, 300 and 100 characters, and decodes the bytes.

    python -m evals.benchmarks.encodings ../shared/data
"""

from __future__ import annotations

import random
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from ingest.encoding import decode
from ingest.encoding.vietnamese import VIETNAMESE, encode_vietnamese
from store.errors import ReadError

Verdict = Literal["right", "refused", "wrong"]

UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
ENCODINGS = {
    "th": "cp874 tis-620",
    "ja": "shift_jis cp932 euc_jp iso2022_jp",
    "zh": "gb2312 gbk gb18030",
    "zh-Hant": "big5 cp950 gb18030",
    "ko": "euc_kr cp949 johab",
    "ru": "koi8_r cp1251 iso8859_5 cp866 mac_cyrillic",
    "uk": "koi8_u cp1251",
    "fr": "cp1252 latin1 iso8859_15 cp850 mac_roman",
    "de": "cp1252 latin1 cp850",
    "es": "cp1252 latin1 cp850",
    "pt": "cp1252 latin1 cp850",
    "it": "cp1252 latin1",
    "sv": "cp1252 latin1 cp850",
    "fi": "cp1252 latin1",
    "nl": "cp1252",
    "id": "cp1252",
    "tl": "cp1252",
    "en": "cp1252",
    "pl": "cp1250 iso8859_2 cp852",
    "cs": "cp1250 iso8859_2 cp852",
    "tr": "cp1254 iso8859_9 cp857",
    "he": "cp1255 iso8859_8",
    "ar": "cp1256 iso8859_6",
    "vi": "cp1258 TCVN3 VISCII VNI",
}
LENGTHS = (20_000, 1_000, 300, 100)
_PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u200b": ""})
_TONES = "\u0300\u0301\u0303\u0309\u0323"


@dataclass(frozen=True, slots=True)
class Case:
    """A text, and the bytes that it became in an encoding."""

    language: str
    encoding: str
    length: int
    text: str
    data: bytes


def cases(udhr: Path, seed: int = 5) -> Iterator[Case]:
    """Texts of `udhr`/html in all their encodings, the whole and two fragments of each length."""
    pick = random.Random(seed)  # noqa: S311 - no secret, only the same fragments each time
    for path in sorted((udhr / "html").glob("*.html")):
        language, text = _read(path)
        for encoding in (*ENCODINGS.get(language, "").split(), *UNICODE):
            for length in LENGTHS:
                for _ in range(1 if length == LENGTHS[0] else 2):
                    start = 0 if length == LENGTHS[0] else pick.randrange(max(1, len(text) - length))
                    fragment = _writable(text[start : start + length], encoding)
                    yield Case(language, encoding, length, fragment, _encode(fragment, encoding))


def verdict(case: Case) -> Verdict:
    """Return what becomes of the case's bytes."""
    try:
        text = decode(case.data).text
    except ReadError:
        return "refused"
    return "right" if unicodedata.normalize("NFC", text) == case.text else "wrong"


def _read(path: Path) -> tuple[str, str]:
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(path.read_text(encoding="utf-8"))
    root = page.css_first("html")
    tag = str(root.attributes["lang"] if root else "")
    text = "\n".join(node.text(strip=True) for node in page.css("h1, h2, h3, p, li"))
    return (tag if tag == "zh-Hant" else tag.split("-", maxsplit=1)[0]), unicodedata.normalize("NFC", text)


def _writable(text: str, encoding: str) -> str:
    """`text` without what the encoding has no character for."""
    written = "".join(c if _can(c, encoding) else c.translate(_PLAIN) for c in text)
    return "".join(c for c in written if _can(c, encoding))


@cache
def _can(character: str, encoding: str) -> bool:
    try:
        _encode(character, encoding)
    except UnicodeEncodeError:
        return False
    return True


def _encode(text: str, encoding: str) -> bytes:
    if encoding in VIETNAMESE:
        return encode_vietnamese(text, encoding)
    if encoding == "cp1258":
        text = "".join(_with_tone_apart(character) for character in text)
    return text.encode(encoding)


def _with_tone_apart(character: str) -> str:
    """Windows-1258 writes the tone of a vowel as a character of its own, except where it has both in one."""
    parts = unicodedata.normalize("NFD", character)
    tone = "".join(part for part in parts[1:] if part in _TONES)
    vowel = unicodedata.normalize("NFC", "".join(part for part in parts if part not in _TONES or part == parts[0]))
    try:
        character.encode("cp1258")
    except UnicodeEncodeError:
        return vowel + tone
    return character


def main() -> None:
    """Print the counts by length and what was not decoded rightly."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    by_length: Counter[tuple[int, Verdict]] = Counter()
    failures: Counter[tuple[Verdict, str, str]] = Counter()
    for case in cases(data / "udhr"):
        result = verdict(case)
        by_length[case.length, result] += 1
        if result != "right":
            failures[result, case.language, case.encoding] += 1
    print("| characters | right | refused | wrong |\n| --- | --- | --- | --- |")
    for length in LENGTHS:
        counts = " | ".join(str(by_length[length, result]) for result in ("right", "refused", "wrong"))
        print(f"| {'all' if length == LENGTHS[0] else length} | {counts} |")
    for (result, language, encoding), count in failures.most_common():
        print(f"{result}: {language} in {encoding}, {count} times")


if __name__ == "__main__":
    main()
