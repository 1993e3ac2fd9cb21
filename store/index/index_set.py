"""Hold the derived indexes together: vectors and keywords of one generation, and the centering of the vectors.

A generation has its own folder (or collection on a Chroma server). A rebuild makes the next one next to it, and the
catalog then names the new one. The switch is one transaction; after a kill, the old generation stays in use.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from store.catalog.language_sums import LanguageStatistics
from store.catalog.rows import IndexRow
from store.catalog.snapshot import Snapshot
from store.errors import LibraryError
from store.index.vector_index import (
    EmbeddedVectorIndex,
    Entry,
    VectorIndex,
    VectorSearch,
    translate_index_errors,
)

if TYPE_CHECKING:
    from store.catalog.engine import Database
    from store.embedding.centering import Centering
    from store.index.chroma_server import ChromaServer
    from store.index.keyword_index import KeywordIndex

Kind = Literal["vectors", "keywords"]
Tokenize = Callable[[str], list[str]]
_ROWS = 1_000
"""Rows centered and written at a time: a few megabytes."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The indexes in use, and the model of their vectors."""

    vectors: int
    keywords: int
    fingerprint: str
    FACTS: ClassVar = ("vectors_generation", "keywords_generation", "embedder_fingerprint")
    """The names of the catalog's facts about them."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Generation:
        """Return the generation that the catalog names."""
        return cls.noted(*snapshot.values(*cls.FACTS))

    @classmethod
    def noted(cls, vectors: str | None, keywords: str | None, fingerprint: str | None) -> Generation:
        """Return the generation from the catalog's `FACTS`."""
        return cls(int(vectors or 0), int(keywords or 0), fingerprint or "")


@dataclass(frozen=True, slots=True)
class VectorFiles:
    """Sizes and times of Chroma's files, to see whether they have changed. Chroma itself doesn't check."""

    sizes: dict[str, int]
    times: dict[str, int]
    """The time of each file's last change, in nanoseconds; a copy of the library has different times."""

    @classmethod
    def of(cls, folder: Path) -> VectorFiles:
        """Return those in the folder of one generation."""
        stats = {str(path.relative_to(folder)): path.stat() for path in sorted(folder.glob("*/*"))}
        return cls(
            {name: stat.st_size for name, stat in stats.items()},
            {name: stat.st_mtime_ns for name, stat in stats.items()},
        )

    @classmethod
    def parse(cls, noted: str) -> VectorFiles:
        """Parse the output of `str`."""
        return cls(**json.loads(noted))

    def __str__(self) -> str:
        return json.dumps(asdict(self))


def derived_folder(home: Path, *, in_postgresql: bool) -> Path:
    """Return the folder of a library's derived indexes; a library in PostgreSQL doesn't use the home's own."""
    return home / ("derived-postgresql" if in_postgresql else "derived")


def highest_generation(derived: Path) -> int:
    """Return the highest number of a generation in this folder; 0 if there is none."""
    return max((int(path.name[-4:]) for path in derived.glob("*-[0-9][0-9][0-9][0-9]")), default=0)


@dataclass(frozen=True, slots=True)
class IndexStorage:
    """Where a library stores its derived indexes."""

    derived: Path
    """The folder of the indexes in the home; see `derived_folder`."""
    library_id: str
    server: ChromaServer | None = None
    """The place of the vectors, if not in the home."""
    database: Database | None = None
    """The place of the keywords, if not in the home."""

    def folder(self, kind: Kind, number: int) -> Path:
        """Return the folder of one generation of one kind."""
        return self.derived / f"{kind}-{number:04}"

    def open_vectors(self, number: int) -> VectorIndex:
        """Open the vectors; only for the library's owner, unless Chroma is a server."""
        if self.server is not None:
            return self.server.open(f"{self._prefix}{number:04}")
        folder = self.folder("vectors", number)
        folder.mkdir(parents=True, exist_ok=True)
        return EmbeddedVectorIndex.open(folder)

    def open_keywords(self, number: int, tokenize: Tokenize, *, read_only: bool = False) -> KeywordIndex:
        """Open the keywords; other processes may open them too, read-only."""
        if self.database is not None:
            from store.index.postgresql_keywords import ServerKeywordIndex

            return ServerKeywordIndex.open(self.database, number, tokenize)
        from store.index.embedded_keywords import EmbeddedKeywordIndex

        return EmbeddedKeywordIndex.open(self.folder("keywords", number), tokenize, read_only=read_only)

    def vector_files(self, number: int) -> VectorFiles:
        """Return the current files of Chroma's graph of vectors."""
        return VectorFiles.of(self.folder("vectors", number))

    def clear(self, vectors: int, keywords: int | None) -> None:
        """Delete what a killed rebuild may have left under the next numbers, and begin them."""
        shutil.rmtree(self.folder("vectors", vectors), ignore_errors=True)
        if keywords is not None:
            shutil.rmtree(self.folder("keywords", keywords), ignore_errors=True)
        if keywords is not None and self.database is not None:
            from store.index.postgresql_keywords import begin_generation

            begin_generation(self.database, keywords)
        if self.server is not None:
            with closing(self.open_vectors(vectors)) as index:
                index.drop()

    def delete_others(self, generation: Generation) -> None:
        """Delete every generation that isn't in use."""
        used = {self.folder("vectors", generation.vectors), self.folder("keywords", generation.keywords)}
        for folder in set(self.derived.glob("*")) - used:
            shutil.rmtree(folder, ignore_errors=True)
        if self.database is not None:
            from store.index.postgresql_keywords import drop_other_generations

            drop_other_generations(self.database, generation.keywords)
        if self.server is not None:
            self.server.drop_others(self._prefix, f"{self._prefix}{generation.vectors:04}")

    @property
    def _prefix(self) -> str:
        return f"attest-{self.library_id}-"


@dataclass(frozen=True, slots=True)
class IndexSet:
    """One generation, open."""

    generation: Generation
    vectors: VectorSearch
    keywords: KeywordIndex
    centering: Centering

    @property
    def owned(self) -> VectorIndex:
        """The vectors, for writing. Raises LibraryError unless this process owns the library."""
        if not isinstance(self.vectors, VectorIndex):
            raise LibraryError("Only the process that owns the library can change it.")
        return self.vectors

    def write(self, snapshot: Snapshot, document_keys: Sequence[int], run: int, *, keywords: bool = True) -> int:
        """Write the entries of these documents' passages; return their number.

        They must not be in the keyword index yet; with `keywords` False it isn't changed.
        """
        written = 0
        for rows in _portions(snapshot.index_rows(document_keys, run, texts=keywords)):
            self._add_vectors(rows)
            if keywords:
                with translate_index_errors():
                    self._add_keywords(rows)
            written += len(rows)
        if keywords:
            with translate_index_errors():
                self.keywords.commit()
        return written

    def refill(self, snapshot: Snapshot, document_keys: Sequence[int], run: int) -> int:
        """Write those vectors of these documents' passages that can't be read; return their number."""
        written = 0
        for rows in _portions(snapshot.index_rows(document_keys, run, texts=False)):
            held = self.owned.readable([row.passage_id for row in rows])
            lost = [row for row in rows if row.passage_id not in held]
            if lost:
                self._add_vectors(lost)
            written += len(lost)
        return written

    def remove(self, snapshot: Snapshot, document_keys: Sequence[int]) -> None:
        """Remove the entries of these versions of documents; missing ones are ignored."""
        ids = snapshot.passage_ids(document_keys)
        self.owned.remove(ids)
        with translate_index_errors():
            self.keywords.remove_passages(ids)
        with translate_index_errors():
            self.keywords.commit()

    def close(self) -> None:
        """Close both indexes."""
        self.keywords.close()
        self.vectors.close()

    def _add_vectors(self, rows: list[IndexRow]) -> None:
        centered = self.centering.center(np.stack([row.vector for row in rows]), [row.language for row in rows])
        self.owned.add(
            Entry(row.passage_id, row.document_id, row.language, vector, row.speaker, row.published, row.collection)
            for row, vector in zip(rows, centered, strict=True)
        )

    def _add_keywords(self, rows: list[IndexRow]) -> None:
        from store.index.keyword_index import KeywordEntry

        self.keywords.add(
            KeywordEntry(
                passage_id=row.passage_id,
                document_id=row.document_id,
                language=row.language,
                speaker=row.speaker,
                published=row.published,
                collection=row.collection,
                text=f"{row.heading}\n{row.text}" if row.heading else row.text,
            )
            for row in rows
        )


def make_centering(embedder_name: str, dimensions: int, statistics: Mapping[str, LanguageStatistics]) -> Centering:
    """Return the language means for vectors of this model, refined by a library's own statistics."""
    from store.embedding.centering import Centering, load_means

    return Centering(load_means(embedder_name, dimensions), statistics)


def outdated(snapshot: Snapshot, centering: Centering) -> str | None:
    """Return how this version of Attest differs from the one that made the indexes; None if it doesn't."""
    from store.index.keyword_index import TERMS_VERSION

    if snapshot.value("centring_version") not in {None, centering.version}:
        return "has newer means of the languages"
    if (snapshot.value("terms_version") or "1") != str(TERMS_VERSION):  # not recorded before there was a second one
        return "reads words and dates differently"
    return None


def load_centering(snapshot: Snapshot) -> Centering:
    """Return the means of the indexes in use, if their shipped part hasn't changed."""
    return make_centering(
        snapshot.value("embedder_name") or "", snapshot.number("dimensions"), snapshot.centering_statistics()
    )


def _portions(rows: Iterator[IndexRow]) -> Iterator[list[IndexRow]]:
    while portion := list(islice(rows, _ROWS)):
        yield portion
