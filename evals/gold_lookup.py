"""Scan a library once: find the documents that suites name, and summarize what the library has.

It makes one pass, page by page, for any number of names, and its memory doesn't grow with the library.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from pathlib import PurePosixPath

from evals.systems.base import Sources
from evals.text import fold, path_parts
from evals.types import Case, Gold
from store.errors import SuiteError
from store.types import Document

PAGE = 500
NAMES_KEPT = 2_000
"""File names to keep, to suggest corrections of misspelled ones."""


@dataclass(frozen=True, slots=True)
class GoldLookup:
    """The result for a library."""

    found: Mapping[str, tuple[Gold, ...]]
    """The documents that each name means."""
    documents: int
    fingerprint: str
    """Hash of all documents' addresses and texts: libraries with the same content have the same fingerprint."""
    languages: Mapping[str, int]
    """The number of documents in each language."""
    missing: tuple[str, ...] = ()
    """Names without a document in the library, which can never be found."""


def look_up(library: Sources, cases: Iterable[Case], *, may_lack: Collection[str] = ()) -> GoldLookup:
    """Look up the names in `cases`, each by a document's id, its title or the end of its address.

    The library may lack what cases of the suites `may_lack` name. Raises SuiteError, with file and line, for any other
    name without a document, or for a relevant document whose name means several.
    """
    cases = tuple(cases)
    wanted = _Names(name for case in cases for name in _names(case))
    digest = sha256()
    languages: dict[str, int] = {}
    seen: list[str] = []
    count = 0
    for document in all_documents(library):
        count += 1
        digest.update(f"{document.uri}\0{document.text_sha256}\n".encode())
        languages[document.language] = languages.get(document.language, 0) + 1
        wanted.match(document)
        if count <= NAMES_KEPT:
            seen.append(PurePosixPath(document.uri).name)
    for case in cases:
        _check(case, wanted, seen, may_lack=case.suite in may_lack)
    found = wanted.found()
    missing = tuple(name for name, golds in found.items() if not any(gold.document_id for gold in golds))
    return GoldLookup(found, count, digest.hexdigest()[:16], languages, missing)


def all_documents(library: Sources) -> Iterator[Document]:
    """Yield the documents of a library, page by page."""
    after: str | None = None
    while True:
        page = library.documents(after, PAGE)
        yield from page.documents
        after = page.next
        if after is None:
            return


def _names(case: Case) -> Iterator[str]:
    for turn in case.turns:
        yield from (gold.name for gold in turn.documents)
        yield from turn.expect.cites_document


class _Names:
    """Names that are being matched with documents; an exact address or id has precedence."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact: dict[str, list[Document]] = {name: [] for name in names}
        self._loose: dict[str, list[Document]] = {name: [] for name in self._exact}
        self._titles: dict[str, list[str]] = {}
        self._tails: dict[tuple[str, ...], list[str]] = {}
        for name in self._exact:
            self._titles.setdefault(fold(name), []).append(name)
            self._tails.setdefault(path_parts(name), []).append(name)
        self._longest = max((len(tail) for tail in self._tails), default=0)

    def match(self, document: Document) -> None:
        for name in {document.id, document.uri} & self._exact.keys():
            self._exact[name].append(document)
        meant = set(self._titles.get(fold(document.title), ()))
        parts = path_parts(document.uri)
        for length in range(1, min(self._longest, len(parts)) + 1):
            meant.update(self._tails.get(parts[-length:], ()))
        for name in meant:
            self._loose[name].append(document)

    def documents(self, name: str) -> list[Document]:
        return self._exact[name] or self._loose[name]

    def found(self) -> dict[str, tuple[Gold, ...]]:
        return {
            name: tuple(_gold(name, document) for document in self.documents(name)) or (Gold(name=name),)
            for name in self._exact
        }


def _gold(name: str, document: Document) -> Gold:
    return Gold(name=name, document_id=document.id, language=document.language, aliases=(document.title, document.uri))


def _check(case: Case, wanted: _Names, seen: list[str], *, may_lack: bool) -> None:
    for name in _names(case):
        if not wanted.documents(name) and not may_lack:
            near = get_close_matches(name, seen, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "`attest documents list` shows what it has."
            if not seen:
                hint = "it is empty: `attest ingest` adds documents, --home names another library."
            raise SuiteError(f"{case.where}: case `{case.id}` names `{name}`, which the library doesn't have; {hint}")
    for gold in (gold for turn in case.turns for gold in turn.documents):
        several = wanted.documents(gold.name)
        if len(several) > 1:
            raise SuiteError(
                f"{case.where}: case `{case.id}` names `{gold.name}`, which means {len(several)} documents, "
                f"{several[0].uri} and {several[1].uri} among them; write more of the path, or the id."
            )
