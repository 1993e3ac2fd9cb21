"""Record what a run used, to distinguish its figures from another's: versions, models, prompts, library."""

from __future__ import annotations

import os
import platform
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assistant.types import Mode
from evals.gold_lookup import GoldLookup
from store.settings import Settings, default_mode

Facts = dict[str, str | int | float | None]

_PACKAGES = (
    "attest", "chromadb", "gradio", "llama-index-core", "numpy", "onnxruntime", "pythainlp", "tantivy", "torch",
    "transformers", "xllamacpp",
)  # fmt: skip


def environment() -> Facts:
    """Return the versions of the program, of Python, and of the packages that affect results."""
    facts: Facts = {"python": platform.python_version(), "platform": platform.platform(), "processors": os.cpu_count()}
    return facts | {name: found for name in _PACKAGES if (found := _version(name)) is not None}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def library_facts(looked_up: GoldLookup, settings: Settings, *, embedder: object = None) -> Facts:
    """Return facts about the library: its content, the embedding model and the prompts, as digests if possible."""
    from ingest.parse import PREPARATION_VERSION

    languages = sorted(looked_up.languages.items(), key=lambda item: (-item[1], item[0]))
    return {
        "documents": looked_up.documents,
        "languages": ", ".join(f"{language} {count}" for language, count in languages[:10]),
        "fingerprint": looked_up.fingerprint,
        "normalization": ".".join(map(str, PREPARATION_VERSION)),
        "passage_tokens": settings.passage_tokens,
        "embedding_model": str(getattr(embedder, "name", "")) or None,
        "embedding_fingerprint": str(getattr(embedder, "fingerprint", ""))[:16] or None,
        "prompts": _digest_of_prompts(),
    }


def model_facts(settings: Settings, mode: Mode | None) -> Facts:
    """Return the language model that writes the answers, with its file's digest if it is a file; empty in quotes mode.

    Raises LanguageModelError if the settings name an unusable one.
    """
    if (mode or default_mode(settings)) == "quotes":
        return {}
    from assistant.llm.registry import choose

    chosen = choose(settings.model_copy(update={"mode": "written"}))
    if chosen is None:
        return {"language_model": None}
    facts: Facts = {"language_model": Path(chosen.name).name or chosen.name, "language_model_at": chosen.where}
    if Path(chosen.name).is_file():
        facts["language_model_sha256"] = _sha256(Path(chosen.name))
    return facts


def _digest_of_prompts() -> str:
    """Return a digest of the prompts and phrases, by name and content."""
    import prompts

    digest = sha256()
    root = Path(prompts.__path__[0])
    for path in sorted((*root.glob("models/*.txt"), *root.glob("phrases/*.yaml"))):
        digest.update(f"{path.relative_to(root)}\0{_sha256(path)}\n".encode())
    return digest.hexdigest()[:16]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
