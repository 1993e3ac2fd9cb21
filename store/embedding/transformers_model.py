"""Run any Hugging Face model with transformers and torch, which the extra `torch` installs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from store.embedding import FloatArray
from store.errors import EmbeddingModelError
from store.extras import missing_torch

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


class TransformersModel:
    """Computes the states of a model's last layer, in bfloat16 if the hardware multiplies it, otherwise in float32."""

    def __init__(self, folder: Path, name: str) -> None:
        """Load the model in a folder.

        Raises:
            EmbeddingModelError: torch or transformers isn't installed, or the folder can't be loaded.
        """
        missing = missing_torch(f"The embedding model {name}")
        if missing:
            raise EmbeddingModelError(missing)
        import transformers
        from safetensors import SafetensorError

        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            # BERT models have their own head, which embeddings don't use, and which warns about missing weights.
            options = {"add_pooling_layer": False} if config.model_type in {"bert", "roberta", "xlm-roberta"} else {}
            model = transformers.AutoModel.from_pretrained(folder, local_files_only=True, dtype=_dtype(), **options)
            self.tokenizer: Tokenizer = tokenizer.backend_tokenizer
        except (OSError, ValueError, KeyError, RuntimeError, AttributeError, SafetensorError) as error:
            raise EmbeddingModelError(
                f"The embedding model {name} can't be loaded from {folder}: it needs config.json, tokenizer.json and "
                f"model.safetensors as Hugging Face models have them ({type(error).__name__})."
            ) from error
        self._model: Any = model.eval().to(_device())
        self.config: dict[str, Any] = config.to_dict()
        self.hidden = int(config.hidden_size)
        self.padding = int(tokenizer.pad_token_id or 0)

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> FloatArray:
        """Return states ``(rows, tokens, hidden)`` for ids ``(rows, tokens)``; `mask` is 0 for padding."""
        import torch

        inputs, attention = (torch.from_numpy(each).to(self._model.device) for each in (ids, mask))
        with torch.inference_mode():
            hidden = self._model(input_ids=inputs, attention_mask=attention).last_hidden_state
        found: FloatArray = hidden.float().cpu().numpy()
        return found


def _device() -> str:
    """Return the fastest available device."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _dtype() -> torch.dtype:
    """Return bfloat16 if the hardware multiplies it; elsewhere it is emulated, and slower than float32."""
    import torch

    if _device() == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    capabilities = torch.cpu.get_capabilities() if _device() == "cpu" else {}
    fast = any(capabilities.get(feature) for feature in ("amx_bf16", "avx512_bf16"))
    return torch.bfloat16 if fast else torch.float32
