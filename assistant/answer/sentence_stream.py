"""Cut a model's text into sentences while it streams, each with the citation markers that follow it.

Nothing is lost or added: joined, the sentences are the text, however the stream was split.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex

_MARKERS = r"(?:\s*\[\d{1,4}(?:\s*[,;]\s*\d{1,4})*\])"
_ABBREVIATION = (
    r"(?<!(?:^|[\s(\"'“])(?:Mr|Mrs|Ms|Dr|Prof|Amb|Gen|Sen|Rep|St|Jr|Sr|vs|etc|No|Nos|Art|Vol|Fig|TP|TS|GS|PGS|ThS|ông|bà)\.)"
    r"(?<!\p{Lu}\.)(?<![.\s]\p{Ll}\.)(?<!\p{Thai}\.)(?<!(?:^|\s)\d{1,2}\.)"
)
_BOUNDARY = regex.compile(
    rf"""
    \n+                                                     # a new line
    | (?:(?<=[!?]|\.{_ABBREVIATION})["'”’»)]*{_MARKERS}*\s+(?=[^\s\[])) # a mark, what closes, and a next word
    | (?<=[。！？])["'”’»」』)]*{_MARKERS}*(?=[^\s\[])          # the same where no space follows
    | {_MARKERS}+[.!?]?\s+(?=[^\s\[,;:.)\-–—](?<=[\p{{Lu}}\p{{Thai}}\p{{Lo}}\-*•])) # markers, then a new beginning
    """,
    regex.VERBOSE,
)


class SentenceStream:
    """Collects pieces of a text and returns each sentence once it has certainly ended."""

    def __init__(self) -> None:
        self._rest = ""

    def add(self, piece: str) -> Iterator[str]:
        """Take one more piece; yield the sentences that it completes, with the spaces after them."""
        self._rest += piece
        yield from self._cut()

    @property
    def rest(self) -> str:
        """The text since the last sentence ended."""
        return self._rest

    def finish(self) -> Iterator[str]:
        """End the text: yield the rest."""
        yield from self._cut()
        if self._rest:
            rest, self._rest = self._rest, ""
            yield rest

    def _cut(self) -> Iterator[str]:
        while match := _BOUNDARY.search(self._rest):
            end = match.end()
            if end == 0 or (match.group().isspace() and end == len(self._rest)):
                return  # The next piece may continue with more white space, or with a marker.
            sentence, self._rest = self._rest[:end], self._rest[end:]
            yield sentence


def sentences_of(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of a text that arrives in pieces; joined, they are the text."""
    stream = SentenceStream()
    for piece in pieces:
        yield from stream.add(piece)
    yield from stream.finish()
