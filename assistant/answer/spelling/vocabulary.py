"""Look up words: their spellings in the library, and how common they are in their language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from store.library import Library
from store.text.spellings import bare
from store.types import Filter

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BLANK = "▁"


class Vocabulary:
    """The words of one library, as far as a question may see them, and of the embedding model."""

    def __init__(self, library: Library, where: Filter) -> None:
        """`where` is the question's filter; its collections count, so that words of hidden ones stay hidden."""
        self._library = library
        self._where = Filter(collections=where.collections)
        self._tokenizer: Tokenizer | None = getattr(library.embedder, "tokenizer", None)
        self._known: dict[str, dict[str, int]] = {}

    def spellings(self, words: Iterable[str]) -> dict[str, Mapping[str, int]]:
        """Return the library's spellings of bare words, or of two in a row, with the number of passages of each."""
        wanted = set(words)
        if missing := wanted - self._known.keys():
            self._known |= self._library.spellings(sorted(missing), self._where)
        return {word: self._known[word] for word in wanted}

    def holds(self, word: str) -> bool:
        """Return whether a folded word is in the library, or common anywhere."""
        return word in self.spellings([bare(word)])[bare(word)] or self.rank(word) is not None

    def pieces(self, text: str) -> int:
        """Return how many pieces of the embedding model's vocabulary make up `text`."""
        return sum(piece != _BLANK for piece in self._library.embedder.tokenize(text))

    def rank(self, word: str) -> int | None:
        """Return how many pieces are more common than `word`; None if it isn't a single piece."""
        return None if self._tokenizer is None else self._tokenizer.token_to_id(_BLANK + word)
