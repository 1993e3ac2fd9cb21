"""Split text into sentences, in any script: spans that can be shown as a quote and read on their own.

Thai marks no sentence ends: a trained cutter (PyThaiNLP's CRF) finds clauses, and clauses are joined until they are
long enough to answer something. Other languages are cut at their marks (sentencex, which knows 200 of them), and pieces
that only an abbreviation ended are joined again. A piece that is too long for a quote is cut where a reader would
pause. `docs/decisions` has the measurements.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import regex

from ingest.blocks import CELL_DIVIDER
from ingest.words import abbreviations
from store.types import Span

LONGEST = 500
"""Code points: a longer sentence is cut where a reader would pause."""

SHORTEST_UNMARKED = 80
"""Code points up to which clauses are joined in scripts without sentence marks.

With 80, Thai pieces are as long as English sentences; with 40, twice as many answers are cut."""

SHORTEST = 12
"""Code points: a shorter piece is an abbreviation, a number or an exclamation, and joins its neighbor."""

WINDOW = 4_000
"""Code points that a cutter gets at once, because some take quadratic time."""

_ONE_AT_A_TIME = threading.Lock()
_UNMARKED = {"th", "lo"}
_SPACE_FREE = regex.compile(r"[\p{Thai}\p{Lao}]")
_STRONG_PAUSE = regex.compile(r"(?: \||[;:؛；：—–]|[,،、，](?!\p{N}))[\"'”’»)]*\s*")
_SPACES = regex.compile(r"\s+")
_GRAPHEME = regex.compile(r"\X")
_PLAIN_BOUNDARY = regex.compile(
    r"[[\p{Z}\p{P}\p{N}\n\p{L}]--\p{Prepended_Concatenation_Mark}--\p{Hangul}]"
    r"[[\p{Z}\p{P}\p{N}\n\p{L}]--\p{Hangul}--[\u0e33\u0eb3]]",
    regex.V1,
)
_TOKEN_BEFORE = regex.compile(r"\S+(?=\s*$)")
_TOKEN_AFTER = regex.compile(r"\s*(\S+)")
_NAME_LENGTH = 10
_PAIRS = {"(": ")", "[": "]", "“": "”", "«": "»", "「": "」", "『": "』", "（": "）"}
_PAIR_SPAN = 200
_LAST_WORD = regex.compile(r"(?:^|[\s(“\"'.])((?:\p{L}[\p{L}\p{M}]{0,5}[./]){0,3}\p{L}[\p{L}\p{M}]{0,7})\.$")
_ORDINAL = regex.compile(r"(?<![\p{L}\p{N}.,])\d{1,2}\.$")
_NEXT_WORD = regex.compile(r"\s*(\p{Lu}\p{Ll}{1,4})\.")
_INITIAL = regex.compile(r"\p{Lu}(?:\.\p{Lu})*")
_NAME_BEFORE = regex.compile(r"(?:^|(?:^|[\s(])\p{Lu}[\p{L}\p{M}.]*\s)$")


def sentences(text: str, language: str) -> tuple[Span, ...]:
    """Return the sentences of a normalized text, in order, trimmed; between them is only white space.

    A line break always ends a sentence. No sentence begins or ends inside a grapheme.
    """
    found: list[Span] = []
    for line in regex.finditer(r"[^\n]+", text):
        paragraph = _trim(text, line.start(), line.end())
        if CELL_DIVIDER in line[0]:  # A row of a table is only clear as a whole.
            found.extend(_in_row(text, paragraph))
        elif paragraph.start < paragraph.end:
            found.extend(_in_paragraph(text, paragraph, language))
    return tuple(found)


def halves(text: str, span: Span) -> tuple[Span, Span] | None:
    """Return a span as two of about the same length, split at a pause; None for a single grapheme."""
    words = span.of(text)
    place = span.start + _pause_near(words, len(words), len(words) // 2)
    first, second = _trim(text, span.start, place), _trim(text, place, span.end)
    return (first, second) if first.start < first.end and second.start < second.end else None


def _in_paragraph(text: str, paragraph: Span, language: str) -> Iterator[Span]:
    words = paragraph.of(text)
    unmarked = _is_unmarked(words, language)
    shortest = SHORTEST_UNMARKED if unmarked else SHORTEST
    ends = (end for end in _ends(words, language, unmarked) if _between_graphemes(words, end))
    for start, end in _joined(words, ends, shortest):
        for part_start, part_end in _cut(words, start, end):
            span = _trim(text, paragraph.start + part_start, paragraph.start + part_end)
            if span.start < span.end:
                yield span


def _in_row(text: str, row: Span) -> Iterator[Span]:
    """Yield a row of a table as one sentence, cut only if it is too long for a quote."""
    for start, end in _cut(row.of(text), 0, row.end - row.start):
        span = _trim(text, row.start + start, row.start + end)
        if span.start < span.end:
            yield span


def _is_unmarked(words: str, language: str) -> bool:
    sample = words[:WINDOW]
    return language in _UNMARKED or len(_SPACE_FREE.findall(sample)) * 2 > len(sample)


def _ends(words: str, language: str, unmarked: bool) -> Iterator[int]:
    """Yield where sentences may end, window by window; each window begins where the last certain sentence ended."""
    start = 0
    while start < len(words):
        window = words[start : start + WINDOW]
        found = _unmarked_ends(window) if unmarked else _marked_ends(window, language)
        if start + len(window) == len(words):
            yield from (start + end for end in found if end < len(window))
            break
        # A piece that only the window ended is not yet a sentence.
        whole = [end for end in found if end < len(window) - 1] or [_pause_near(window, len(window), len(window) // 2)]
        yield from (start + end for end in whole)
        start += whole[-1]
    yield len(words)


def _marked_ends(words: str, language: str) -> list[int]:
    import sentencex

    found = [int(boundary["end_index"]) for boundary in sentencex.get_sentence_boundaries(language, words)]
    return [end for end in found if not _ends_with_abbreviation(words, end)]


def _ends_with_abbreviation(words: str, end: int) -> bool:
    """Return whether a full stop before `end` belongs to an abbreviation, an initial or an academic title."""
    before = words[max(0, end - 24) : end].rstrip()
    if _ORDINAL.search(before):  # "am 3. Okt." counts a month that is itself shortened
        month = _NEXT_WORD.match(words[end : end + 12])
        return month is not None and month[1] in abbreviations()
    match = _LAST_WORD.search(before)
    if match is None:
        return False
    if match[1] in abbreviations() or _INITIAL.fullmatch(match[1]):
        if len(match[1]) > 1 or not match[1].isupper():
            return True
        # A single capital is an initial after another name, or counts something: "Nguyễn V. An", "Q. 3", not "plan B."
        after = words[end : end + 8].lstrip()
        return after[:1].isdecimal() or (
            after[:1].isupper() and _NAME_BEFORE.search(before[: match.start(1)]) is not None
        )
    return False


def _unmarked_ends(words: str) -> list[int]:
    ends, position = [], 0
    for piece in _thai_clauses(words):
        position += len(piece)
        ends.append(position)
    if position != len(words):  # It drops what it can't read; then only blanks are certain.
        ends = [match.end() for match in _SPACES.finditer(words)] + [len(words)]
    return [end for end in ends if end == len(words) or not _tears(words, end)]


def _thai_clauses(words: str) -> list[str]:
    # PyThaiNLP creates a folder in the user's home on import, and fails if it can't; this needs no such folder.
    if "PYTHAINLP_READ_MODE" not in os.environ:
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")
    with _ONE_AT_A_TIME:  # All threads share its one tagger.
        from pythainlp.tokenize import sent_tokenize

        return [str(piece) for piece in sent_tokenize(words, engine="crfcut", keep_whitespace=True)]


def _tears(words: str, end: int) -> bool:
    """Return whether the texts on both sides of `end` belong together, although a Thai cutter ends a clause there.

    This applies to a number and what it counts or dates, as in "พ.ศ. 2566"; the short, blank-separated parts of a
    foreign name; and text in parentheses or quotation marks.
    """
    before, after = words[max(0, end - _PAIR_SPAN) : end], words[end : end + _PAIR_SPAN]
    if after.lstrip()[:1].isdecimal() or before.rstrip().endswith("."):
        return True
    left, right = _TOKEN_BEFORE.search(before[-40:]), _TOKEN_AFTER.match(after)
    if left and right and max(len(left[0]), len(right[1])) <= _NAME_LENGTH:
        return True
    return _inside_a_pair(before, after)


def _inside_a_pair(before: str, after: str) -> bool:
    """Return whether a parenthesis or quotation was opened shortly before and is closed shortly after."""
    if before.count('"') % 2 and after.count('"') % 2:
        return True
    return any(
        before.rfind(opening) > before.rfind(closing) and 0 <= after.find(closing) < (after.find(opening) % 1_000)
        for opening, closing in _PAIRS.items()
    )


def _joined(words: str, ends: Iterator[int], shortest: int) -> Iterator[tuple[int, int]]:
    """Return ranges between `ends`, each extended until it is long enough; the rest joins the last one."""
    held: tuple[int, int] | None = None
    start = 0
    for end in ends:
        if end - start >= shortest and len(words[start:end].strip()) >= shortest:
            if held:
                yield held
            held = (start, end)
            start = end
    if start < len(words):
        rest = words[start : start + shortest + 8].strip()
        if held and len(rest) < shortest:
            held = (held[0], len(words))
        else:
            if held:
                yield held
            held = (start, len(words))
    if held:
        yield held


def _cut(words: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a range in parts of at most `LONGEST`, as even as its pauses allow."""
    while end - start > LONGEST:
        parts = -(-(end - start) // LONGEST)
        place = start + _pause_near(words[start : start + LONGEST], LONGEST, (end - start) // parts)
        yield start, place
        start = place
    yield start, end


def _pause_near(words: str, longest: int, target: int) -> int:
    """Return where to cut `words` near `target` and before `longest`: after a comma or the like, or at a blank, or
    between two graphemes. The result is always inside `words`, and after its first grapheme.
    """
    least = min(target // 2, longest - 1)
    for pauses in (_STRONG_PAUSE, _SPACES):
        places = [match.end() for match in pauses.finditer(words, least, longest) if match.end() < len(words)]
        if places:
            return min(places, key=lambda place: abs(place - target))
    place = min(target, len(words) - 1)
    while place > 0 and not _between_graphemes(words, place):
        place -= 1
    if place > 0:
        return place
    first = _GRAPHEME.match(words)
    return first.end() if first else len(words)


def _between_graphemes(words: str, place: int) -> bool:
    """Return whether `place` is between graphemes, starting from the blank or ASCII character before it."""
    if place <= 0 or place >= len(words) or _PLAIN_BOUNDARY.match(words, place - 1):
        return True
    first = place - 1
    while first > 0 and place - first < 64 and not words[first].isascii():
        first -= 1
    position = first
    while position < place:
        match = _GRAPHEME.match(words, position, place + 1)
        position = match.end() if match else position + 1
    return position == place


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
