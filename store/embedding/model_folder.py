"""A Hugging Face embedding model's folder: its weights, and what its files say about how to use it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.errors import EmbeddingModelError

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import PretrainedConfig

POOLING = {"mean": "mean_tokens", "cls": "cls_token", "lasttoken": "lasttoken"}
"""Ways to make one vector of many, and what sentence-transformers calls them in its files."""


def load(folder: Path, name: str) -> tuple[Any, Tokenizer, int]:
    """The model, its tokenizer and the number of the token that pads."""
    import transformers
    from safetensors import SafetensorError

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        # Models of BERT's family have a head of their own that no embedding uses, and that warns of missing weights.
        options = {"add_pooling_layer": False} if config.model_type in {"bert", "roberta", "xlm-roberta"} else {}
        model = transformers.AutoModel.from_pretrained(folder, local_files_only=True, dtype=_dtype(), **options)
        words: Tokenizer = tokenizer.backend_tokenizer
        words.no_truncation()
        words.no_padding()
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, SafetensorError) as error:
        raise EmbeddingModelError(
            f"The embedding model {name} can't be loaded from {folder}: it needs config.json, tokenizer.json and "
            f"model.safetensors as Hugging Face models have them ({type(error).__name__})."
        ) from error
    return model.eval().to(device()), words, tokenizer.pad_token_id or 0


def device() -> str:
    """The fastest one that there is."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _dtype() -> torch.dtype:
    """bfloat16 where it is multiplied in hardware: elsewhere it is emulated, and slower than float32."""
    import torch

    if device() == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    capabilities = torch.cpu.get_capabilities() if device() == "cpu" else {}
    fast = any(capabilities.get(feature) for feature in ("amx_bf16", "avx512_bf16"))
    return torch.bfloat16 if fast else torch.float32


def max_tokens(folder: Path, config: PretrainedConfig) -> int:
    """Tokens that the model reads of one text."""
    positions = int(getattr(config, "max_position_embeddings", 512))
    # RoBERTa counts its positions from the padding token's number, not from zero.
    reserved = int(getattr(config, "pad_token_id", 0) or 0) + 1 if "roberta" in config.model_type else 0
    trained = int(_read_json(folder / "sentence_bert_config.json").get("max_seq_length") or 8192)
    return min(positions - reserved, trained, 8192)


def _read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def read_prompts(folder: Path, name: str) -> dict[str, str]:
    """What the model expects before a question and before a passage; E5 models don't say it in their files."""
    prompts = _read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    is_e5 = "e5" in name.lower() and "instruct" not in name.lower()
    query, document = ("query: ", "passage: ") if is_e5 else ("", "")
    return {
        "query": prompts.get("query") or query,
        "document": prompts.get("document") or prompts.get("passage") or document,
    }


def read_pooling(folder: Path) -> str:
    """``mean``, ``cls`` or ``lasttoken``. Raises EmbeddingModelError for a model that does more, or something else."""
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


def fingerprint(folder: Path, prompts: dict[str, str], pooling: str) -> str:
    """Changes whenever vectors would. Raises EmbeddingModelError for a folder without weights."""
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
