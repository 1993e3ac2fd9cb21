"""Build libraries for suites with their own documents: once, cached by content, removed when unused.

The folder's name is a digest of everything that the library is made from. So a changed suite, another embedding model
or other passages get another library, and a matching one is reused.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from platformdirs import user_cache_path

from evals.formats import Folder, SourceText, Suite, Texts
from store.errors import EmbedderMismatchError, IndexDamagedError, SchemaVersionError, SuiteError
from store.ids import document_id
from store.library import Library
from store.settings import Settings
from store.text.language import detect_language
from store.types import Document, ParsedDocument

if TYPE_CHECKING:
    from store.embedding.embedder import Embedder

DISUSED_DAYS = 14
MOST_KEPT = 8
COMPLETE = "complete"
"""A file of this name marks a library with all documents; its time is the library's last use."""

OnProgress = Callable[[str, int, int], None]
"""Called with a suite's name, the passages embedded so far, and those known so far."""


def cache_folder() -> Path:
    """Return the default folder of these libraries."""
    return user_cache_path("attest", appauthor=False) / "evaluation"


@contextmanager
def library_of(
    suite: Suite, settings: Settings, cache: Path, on_progress: OnProgress = lambda name, done, known: None
) -> Iterator[Settings]:
    """Yield settings whose home is the library that the suite asks about; the user's own if the suite has no documents.

    Wait for a library that another process is building. Raises the errors of ingesting and opening.
    """
    if suite.documents is None:
        yield settings
        return
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / _key(suite, settings)
    theirs = settings.model_copy(update={"home": home})
    with FileLock(home.with_suffix(".lock")):
        if not (home / COMPLETE).exists() or not _is_usable(theirs):
            shutil.rmtree(home, ignore_errors=True)
            _build(suite, theirs, on_progress)
        (home / COMPLETE).touch()
    yield theirs


def _key(suite: Suite, settings: Settings) -> str:
    from ingest.parse import PREPARATION_VERSION
    from store.index.keyword_index import TERMS_VERSION

    content = _content(suite.documents.path) if isinstance(suite.documents, Folder) else suite.sha256
    parts = (suite.kind, content, settings.embedding_model, settings.passage_tokens, PREPARATION_VERSION, TERMS_VERSION)
    return sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:24]


def _content(folder: Path) -> str:
    """Return a digest of the names and bytes of all files below `folder`."""
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest.update(f"{path.relative_to(folder)}\0{file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _is_usable(settings: Settings) -> bool:
    """Return whether the library can be opened with the installed versions."""
    try:
        with Library.open(settings, read_only=True) as library:
            library.prepare()
    except (EmbedderMismatchError, SchemaVersionError, IndexDamagedError):
        return False
    return True


def _build(suite: Suite, settings: Settings, on_progress: OnProgress) -> None:
    def progress(done: int, known: int) -> None:
        on_progress(suite.name, done, known)

    with Library.open(settings) as library:
        if isinstance(suite.documents, Texts):
            parsed = parsed_documents(suite.documents.read(), library.embedder, settings.passage_tokens)
            for _ in library.add_many(parsed, progress):
                pass
        elif isinstance(suite.documents, Folder):
            _ingest(suite.documents.path, library, progress)


def parsed_documents(texts: Iterable[SourceText], embedder: Embedder, passage_tokens: int) -> Iterator[ParsedDocument]:
    """Yield the texts as documents of a library, read lazily; the suite's id becomes the address."""
    from ingest.chunk import chunk
    from ingest.normalize import NORMALIZATION_VERSION, normalize_text

    for source in texts:
        normalized = normalize_text(source.text)
        language = source.language or detect_language(normalized.text)
        digest = sha256(normalized.text.encode()).hexdigest()
        document = Document(
            id=document_id(source.id),
            uri=source.id,
            title=source.title,
            language=language,
            original_sha256=sha256(source.text.encode("utf-8", "surrogatepass")).hexdigest(),
            text_sha256=digest,
        )
        passages = chunk(
            normalized.text,
            language,
            count_tokens=embedder.count_tokens,
            passage_tokens=passage_tokens,
        )
        yield ParsedDocument(document, normalized.text, passages, NORMALIZATION_VERSION)


def _ingest(folder: Path, library: Library, progress: Callable[[int, int], None]) -> None:
    from ingest.pipeline import SAMPLES, ingest_paths, ingest_samples

    if folder.resolve() == SAMPLES:
        report = ingest_samples(library, progress)
    else:
        # Named by their path in the folder: the library is cached by content, wherever the folder is.
        whole = folder.resolve()
        report = ingest_paths(
            library, [folder], progress=progress, uri_of=lambda path: path.resolve().relative_to(whole).as_posix()
        )
    if report.failed:
        first = report.failed[0]
        raise SuiteError(
            f"{len(report.failed)} documents of {folder} can't be read, {first.path} among them: {first.error}"
        )


def remove_disused(cache: Path, now: float | None = None) -> tuple[Path, ...]:
    """Remove libraries unused for `DISUSED_DAYS`, and the longest unused ones beyond `MOST_KEPT`."""
    marks = sorted(cache.glob(f"*/{COMPLETE}"), key=lambda mark: -mark.stat().st_mtime)
    oldest = (now if now is not None else time.time()) - DISUSED_DAYS * 86_400
    disused = [mark.parent for place, mark in enumerate(marks) if place >= MOST_KEPT or mark.stat().st_mtime < oldest]
    for home in disused:
        shutil.rmtree(home, ignore_errors=True)
        home.with_suffix(".lock").unlink(missing_ok=True)
    return tuple(disused)
