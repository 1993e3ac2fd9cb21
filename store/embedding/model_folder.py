"""Read a Hugging Face embedding model's folder: its weights, and its instructions for use."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.embedding.embedder import ModelUse, TextEmbedder, TokenModel
from store.embedding.encoder_weights import is_supported
from store.embedding.pooling import Pooling
from store.embedding.transformers_model import TransformersModel
from store.errors import EmbeddingModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from store.embedding.encoder import Encoder

POOLING: dict[Pooling, str] = {"mean": "mean_tokens", "cls": "cls_token", "lasttoken": "lasttoken"}
"""Ways to pool vectors, by their names in sentence-transformers' files."""


def load(folder: Path, name: str) -> TextEmbedder:
    """Load the embedding model in a folder: with onnxruntime if it has the default model's shape, else with torch.

    Raises:
        EmbeddingModelError: the folder can't be loaded, or nothing is installed that runs its model.
    """
    prompts, pooling = read_prompts(folder, name), read_pooling(folder)
    identity = fingerprint(folder, prompts, pooling)
    config = _read_json(folder / "config.json")
    model: TokenModel
    if is_supported(config) and (folder / "model.safetensors").is_file() and (folder / "tokenizer.json").is_file():
        model, tokenizer = _load_encoder(folder, name)
        padding = int(config.get("pad_token_id") or 0)
    else:
        model = TransformersModel(folder, name)
        tokenizer, padding, config = model.tokenizer, model.padding, model.config
    tokenizer.no_truncation()
    tokenizer.no_padding()
    use = ModelUse(identity, prompts, pooling, _max_tokens(folder, config), padding)
    return TextEmbedder(name, tokenizer, model, use)


def _load_encoder(folder: Path, name: str) -> tuple[Encoder, Tokenizer]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    from store.embedding.encoder import Encoder

    try:
        weights = load_file(folder / "model.safetensors")
        bare = {key.removeprefix("bert."): value for key, value in weights.items()}
        return Encoder(bare), Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises nothing more specific
        if not isinstance(error, (OSError, ValueError, KeyError, SafetensorError)) and type(error) is not Exception:
            raise
        raise EmbeddingModelError(
            f"The embedding model {name} can't be loaded from {folder}: its config.json describes another model than "
            f"its model.safetensors or tokenizer.json hold ({type(error).__name__})."
        ) from error


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    """Return the number of tokens that the model reads of one text."""
    positions = int(config.get("max_position_embeddings", 512))
    # RoBERTa counts its positions from the padding token's number, not from zero.
    roberta = "roberta" in str(config.get("model_type"))
    reserved = int(config.get("pad_token_id") or 0) + 1 if roberta else 0
    trained = int(_read_json(folder / "sentence_bert_config.json").get("max_seq_length") or 8192)
    return min(positions - reserved, trained, 8192)


def _read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def read_prompts(folder: Path, name: str) -> dict[str, str]:
    """Return the model's prefixes for questions and passages; E5 models don't state theirs in their files."""
    prompts = _read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    is_e5 = "e5" in name.lower() and "instruct" not in name.lower()
    query, document = ("query: ", "passage: ") if is_e5 else ("", "")
    return {
        "query": prompts.get("query") or query,
        "document": prompts.get("document") or prompts.get("passage") or document,
    }


def read_pooling(folder: Path) -> Pooling:
    """Return ``mean``, ``cls`` or ``lasttoken``. Raises EmbeddingModelError for other pooling."""
    modules = _read_json(folder / "modules.json") or []
    steps = [str(module["type"]).rpartition(".")[2] for module in modules]
    config = _read_json(folder / "1_Pooling" / "config.json")
    chosen = [
        mode for mode in POOLING if config.get(f"pooling_mode_{POOLING[mode]}") or config.get("pooling_mode") == mode
    ]
    unknown = sorted({*steps} - {"Transformer", "Pooling", "Normalize"})
    if unknown or len(chosen) > 1 or (config and not chosen):
        raise EmbeddingModelError(
            f"The embedding model in {folder} needs {' and '.join(unknown) or 'a pooling'} that Attest doesn't have: "
            f"name a model that pools by {', '.join(POOLING)} alone."
        )
    return chosen[0] if chosen else "mean"


def fingerprint(folder: Path, prompts: dict[str, str], pooling: Pooling) -> str:
    """Return a hash that changes whenever vectors would. Raises EmbeddingModelError for a folder without weights."""
    digest = hashlib.sha256(json.dumps([prompts, pooling], sort_keys=True).encode())
    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])
    if not weights:
        raise EmbeddingModelError(
            f"The folder {folder} holds no weights (model.safetensors): name a complete Hugging Face model folder."
        )
    for path in [folder / "tokenizer.json", *weights]:
        if path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
