"""Turn blocks into the one text of a document, to which every offset in a library refers.

The rules, in order; `NORMALIZATION_VERSION` changes whenever one of them does:

1. Line ends (CR LF, CR, NEL, vertical tab, line and paragraph separator) become one newline.
2. Dropped: zero-width spaces, word joiners, byte order marks, soft hyphens, bidirectional controls, tag characters
   and other format characters, control characters, and noncharacters. Kept: joiners (ZWJ, ZWNJ) between letters
   or emoji, where they change what is read; variation selectors; the tags of a flag emoji. Letters struck out by a
   separate stroke (U+0336) are dropped, too.
3. Marks get their language's order: a Vietnamese tone typed before the vowel's own mark, the Thai and Lao
   vowel AM typed in two pieces. Then Unicode NFC.
4. White space of any kind becomes one space; none at the ends of a line.
5. Lines that end only because of the page's width are joined (see `ingest.lines`), even if a page ends inside a
   sentence or every line is followed by an empty one. A page number alone at the edge of a page is dropped.
6. A paragraph is one line. Between two is one newline, or two if the source has empty lines between them.

Normalizing a plain text without pages a second time changes nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import regex

from ingest.blocks import FORCED_LINE_END, PAGE_START, Block
from ingest.lines import (
    joined_lines,
    without_page_numbers,
    without_sure_hyphens,
    words_of_wrapped_line,
)
from store.types import Span

NORMALIZATION_VERSION = 3
"""Version of the rules above."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A document's text; the starts of its pages; its headings, if its format has headings."""

    text: str
    pages: tuple[int, ...] = ()
    headings: tuple[Span, ...] | None = None


_LINE_ENDS = regex.compile(r"\r\n?|[\n\v\x1c-\x1e\x85\u2028\u2029]")
_VISIBLE_FORMATS = r"\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
_DROPPED = regex.compile(
    rf"[[\p{{Cf}}\p{{Cc}}\p{{Cs}}\p{{Noncharacter_Code_Point}}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]"
    rf"--[{_VISIBLE_FORMATS}\u200c\u200d\U000e0000-\U000e007f\n\t\f]]",
    regex.V1,
)
_TAGS = regex.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,16}\U000e007f)|[\U000e0000-\U000e007f]")
_JOINED = (
    r"\p{Arab}\p{Syrc}\p{Nkoo}\p{Mong}\p{Deva}\p{Beng}\p{Guru}\p{Gujr}\p{Orya}\p{Taml}\p{Telu}\p{Knda}\p{Mlym}\p{Sinh}"
    r"\p{Mymr}\p{Khmr}\p{Tibt}\p{Extended_Pictographic}\p{Emoji_Modifier}"
)
_JOINERS = regex.compile(
    rf"(?<=[{_JOINED}\p{{M}}])([\u200c\u200d])[\u200c\u200d]*(?=[{_JOINED}])|[\u200c\u200d]+", regex.V1
)
_SELECTORS = regex.compile(
    r"(?<=[\p{Emoji}\p{So}\p{Sm}\p{Han}\p{Mong}\p{Mymr}\p{Phag}])([\ufe00-\ufe0f\U000e0100-\U000e01ef])"
    r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]*|[\ufe00-\ufe0f\U000e0100-\U000e01ef]+"
)
_STRUCK = regex.compile("(?:[^\n\f\u0336]\\p{M}{0,4}?\u0336\\p{M}{0,4}+)+")
_LOOSE_VOWEL_MARK = regex.compile("[\u0302\u0306]")
_TONE_FIRST = regex.compile("([aeoAEO]\u0323?)([\u0300\u0301\u0303\u0309])([\u0302\u0306])")
_REORDERED = (
    (regex.compile("\u0e4d([\u0e48-\u0e4b]*)\u0e32"), "\\1\u0e33"),
    (regex.compile("\u0e33([\u0e48-\u0e4b]+)"), "\\1\u0e33"),
    (regex.compile("\u0e40\u0e40"), "\u0e41"),
    (regex.compile("\u0ecd([\u0ec8-\u0ecb]*)\u0eb2"), "\\1\u0eb3"),
)
_SPACES = regex.compile(r"[\p{Zs}\t]+")
_SPACES_AT_LINE_ENDS = regex.compile(r" +(?=\n)|(?<=[\n\f]) +|\A +| +\Z")
_EMPTY_LINES = regex.compile(r"\n{3,}")
_PAGE_GAP = regex.compile(rf"(?<![ \n])[ \n]*+{PAGE_START}[ \n{PAGE_START}]*")
_ROUNDS = 8


def normalize(blocks: Iterable[Block]) -> Normalized:
    """Return the text of `blocks`, with pages and headings as offsets into it."""
    pieces: list[str] = []
    headings: list[Span] = []
    structured = False
    length = 0
    for block in blocks:
        structured = structured or block.kind not in ("text", "laid out")
        piece = _text_of(block)
        if not piece:
            continue
        size = len(piece) - piece.count(PAGE_START)
        if block.kind == "heading":
            headings.append(Span(length, length + size))
        pieces.append(piece)
        length += size + 2
    text, pages = _without_page_starts("\n\n".join(pieces))
    return Normalized(text, pages, tuple(headings) if structured else None)


def normalize_text(text: str) -> Normalized:
    """Normalize plain text without further information."""
    return normalize((Block(text),))


def _text_of(block: Block) -> str:
    """Return the normalized text of a block, possibly empty; it still contains page starts."""
    if block.kind == "text":
        text = without_sure_hyphens(without_page_numbers(_LINE_ENDS.sub("\n", block.text)))
        return _settled(_PAGE_GAP.sub(_page_gap, _cleaned(text)))
    if block.kind == "laid out":
        return _trimmed(_cleaned(_LINE_ENDS.sub("\n", block.text)))
    unpaged = block.text.lstrip(PAGE_START)
    starts = PAGE_START * (len(block.text) - len(unpaged))
    unpaged = unpaged.replace(PAGE_START, " ")
    if block.kind == "lines":
        return starts + _trimmed(_cleaned(_LINE_ENDS.sub("\n", unpaged)))
    lines = (_LINE_ENDS.sub("\n", line) for line in unpaged.split(FORCED_LINE_END))
    return starts + _trimmed(_cleaned("\n".join(words_of_wrapped_line(_cleaned(line)) for line in lines)))


def _settled(text: str) -> str:
    """Clean and join lines until nothing changes, because a joined line may join with more."""
    for _ in range(_ROUNDS):
        before, text = text, _trimmed(joined_lines(_cleaned(text)))
        if text == before:
            break
    return text


def _page_gap(match: regex.Match[str]) -> str:
    """Return line ends around page starts as if there were no page starts, and put these at the next line's beginning."""
    gap = match.group()
    starts = PAGE_START * gap.count(PAGE_START)
    if match.start() == 0 or match.end() == len(match.string):
        return starts
    return "\n" * min(2, max(1, gap.count("\n"))) + starts


def _trimmed(text: str) -> str:
    """Drop empty lines at both ends, and all but one between two lines."""
    return _EMPTY_LINES.sub("\n\n", text).strip("\n")


def _cleaned(text: str) -> str:
    """Clean `text` by the rules 2 to 4."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _without_invisible(text))
        if _LOOSE_VOWEL_MARK.search(text):
            text = unicodedata.normalize("NFC", _TONE_FIRST.sub(r"\1\3\2", unicodedata.normalize("NFD", text)))
        for pattern, replacement in _REORDERED:
            text = pattern.sub(replacement, text)
    else:
        text = _DROPPED.sub("", text)
    return _SPACES_AT_LINE_ENDS.sub("", _SPACES.sub(" ", text))


def _without_invisible(text: str) -> str:
    if "\u0336" in text:
        text = _STRUCK.sub("", text)
    text = _TAGS.sub(lambda match: match.group(1) or "", _DROPPED.sub("", text))
    text = _SELECTORS.sub(lambda match: match.group(1) or "", text)
    return _JOINERS.sub(lambda match: match.group(1) or "", text)


def _without_page_starts(text: str) -> tuple[str, tuple[int, ...]]:
    """Return `text` without `PAGE_START`, and the offsets where it was."""
    parts = text.split(PAGE_START)
    pages: list[int] = []
    length = 0
    for part in parts[:-1]:
        length += len(part)
        pages.append(length)
    return "".join(parts), tuple(pages)
