"""Define the network to train: an encoder with low-rank updates of all its linear layers, and a span head.

The updates are LoRA (Hu et al. 2021, arXiv:2106.09685): ``y = W x + b + scale * B (A x)`` with W frozen. The head gives
two numbers per token, for the first and the last token of the answer; the first position stands for "no answer" (Devlin
et al. 2019, arXiv:1810.04805, section 4.3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

RANK = 32
SCALE = 2.0


class LowRankLinear(nn.Module):
    """A frozen linear layer with a trained update of rank `RANK` and a trained bias."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(base.weight.detach().to(torch.bfloat16), requires_grad=False)
        self.bias = nn.Parameter(base.bias.detach().float().clone())
        self.down = nn.Parameter(torch.empty(RANK, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, RANK))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return ``(..., out)`` of ``(..., in)``."""
        low = functional.linear(functional.linear(inputs, self.down), self.up)
        return functional.linear(inputs, self.weight) + self.bias + SCALE * low


class SpanReader(nn.Module):
    """An encoder and a head with two outputs per token."""

    def __init__(self, encoder: Any, hidden: int) -> None:  # noqa: ANN401 - transformers' model
        super().__init__()
        self.encoder = encoder
        for parameter in encoder.parameters():
            parameter.requires_grad_(False)
        for layer in encoder.encoder.layer:
            for part in (layer.attention.self, layer.attention.output, layer.intermediate, layer.output):
                for name, module in list(part.named_children()):
                    if isinstance(module, nn.Linear):
                        setattr(part, name, LowRankLinear(module))
                    elif isinstance(module, nn.LayerNorm):
                        module.float().requires_grad_(True)
        self.head = nn.Linear(hidden, 2)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Return logits ``(rows, tokens, 2)``."""
        states = self.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
        logits: torch.Tensor = self.head(states.float())
        return logits

    def trained(self) -> dict[str, nn.Parameter]:
        """Return the parameters that are trained, by name."""
        return {name: each for name, each in self.named_parameters() if each.requires_grad}

    def load_trained(self, values: Mapping[str, torch.Tensor]) -> None:
        """Copy trained parameters from `values`, which must contain all of them."""
        with torch.no_grad():
            for name, parameter in self.trained().items():
                parameter.copy_(values[name])


def save_adapter(model: SpanReader, path: Path) -> None:
    """Write the trained values, in float16: matrices ``down`` including the scale, biases, norms and the head."""
    values = {}
    for name, parameter in model.trained().items():
        value = parameter.detach().float()
        values[name] = (value * SCALE if name.endswith(".up") else value).to(torch.float16).contiguous()
    save_file(values, path, metadata={"rank": str(RANK)})
