"""A text that comes in pieces, cut before the first stop sequence that is complete."""

from __future__ import annotations

from collections.abc import Sequence


class StopSequences:
    """Passes pieces of a text on, and holds back what may yet turn out to begin a stop sequence.

    >>> cutter = StopSequences(["END"])
    >>> [cutter.add("the E"), cutter.add("ND of it"), cutter.end()]
    ['the ', '', '']
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = tuple(filter(None, sequences))
        self._held = ""
        self.reached = False
        """Whether the text was cut."""

    def add(self, piece: str) -> str:
        """Return what can be shown of the text so far and wasn't yet."""
        if self.reached:
            return ""
        text = self._held + piece
        ends = [(at + len(each), at) for each in self._sequences if (at := text.find(each)) >= 0]
        if ends:
            self.reached, self._held = True, ""
            return text[: min(ends)[1]]
        keep = max((_overlap(text, each) for each in self._sequences), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def whole(self, text: str) -> str:
        """Return `text`, cut."""
        return self.add(text) + self.end()

    def end(self) -> str:
        """Return what was held back: no stop sequence came of it."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, sequence: str) -> int:
    """Return the length of the longest end of `text` that begins `sequence` without completing it."""
    longest = min(len(text), len(sequence) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(sequence[:size])), 0)
