"""Fractions inside a line: what stands above and below a short line in the middle of another is one piece, ``1/2``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import regex

from ingest.readers.pdf.ruled_lines import Rule
from ingest.readers.pdf.segments import Segment

LONGEST = 12.0
"""Times the letter size."""

NEAR = 1.5
"""Times the letter size between the fraction and the line that it stands in."""

_SIMPLE = regex.compile(r"^[\p{L}\p{N}.,]+$")


def with_fractions(segments: Sequence[Segment], rules: Sequence[Rule]) -> list[Segment]:
    """Return `segments` with each fraction as one of them, at the height of its line."""
    found = list(segments)
    for rule in rules:
        near = [each for each in found if each.angle == 0 and abs(each.baseline - rule.y) < 2 * each.size]
        own = [each for each in near if rule.left - 1.5 <= each.left and each.right <= rule.right + 1.5]
        above = [each for each in own if 0 < each.baseline - rule.y < 0.7 * each.size]
        below = [each for each in own if 0.5 * each.size < rule.y - each.baseline < 1.4 * each.size]
        line = next((each for each in near if each not in own and _is_beside(each, rule)), None)
        if len(above) != 1 or len(below) != 1 or line is None or rule.right - rule.left > LONGEST * line.size:
            continue
        text = f"{_grouped(above[0].text)}/{_grouped(below[0].text)}"
        whole = replace(
            above[0],
            text=text,
            left=rule.left,
            right=rule.right,
            baseline=line.baseline,
            size=line.size,
            first_word=rule.right - rule.left,
            words=(),
        )
        found = [each for each in found if each not in (above[0], below[0])] + [whole]
    return found


def _is_beside(segment: Segment, rule: Rule) -> bool:
    """Return whether a rule is at the middle height of a piece of a line, and close to its end or beginning."""
    height = (rule.y - segment.baseline) / segment.size
    apart = max(rule.left - segment.right, segment.left - rule.right)
    return 0.1 < height < 0.5 and -0.1 * segment.size < apart < NEAR * segment.size


def _grouped(text: str) -> str:
    return text if _SIMPLE.match(text) else f"({text})"
