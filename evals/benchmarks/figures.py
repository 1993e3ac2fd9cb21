"""How benchmarks write down what they measured: tables in Markdown, plots as files, the machine in words."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES = DOCS / "figures.md"
IMAGES = DOCS / "images"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all but the first column to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *rows))


def share(value: float | None) -> str:
    """A rate as readers of tables know it: .967, 1.000, and a dash where there is none."""
    return "-" if value is None else f"{value:.3f}".removeprefix("0")


def machine() -> str:
    """What this was measured on, in words: no name or path of it."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    features = [
        name
        for name, flag in (("AVX-512", "avx512_f"), ("AMX", "amx_bf16"), ("AVX2", "avx2"))
        if capabilities.get(flag)
    ]
    number = "bfloat16" if any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16")) else "float32"
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("torch", "transformers", "chromadb", "llama-index-core")
    )
    return (
        f"{os.cpu_count()} cores ({platform.machine()}{', ' + ' and '.join(features) if features else ''}; no GPU), "
        f"{platform.system()}, Python {platform.python_version()}, {packages}; {number}. {date.today().isoformat()}."
    )


def save(name: str, content: dict[str, object], folder: Path = Path("build")) -> Path:
    """Write all numbers as JSON, for whoever compares two runs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def replace_section(name: str, text: str, page: Path = FIGURES) -> None:
    """Put `text` between the page's marks ``<!-- NAME -->`` and ``<!-- /NAME -->``. Raises ValueError without them."""
    whole = page.read_text(encoding="utf-8")
    pattern = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(whole):
        raise ValueError(f"{page} has no section {name}.")
    page.write_text(pattern.sub(lambda match: f"{match[1]}\n{text.strip()}\n\n{match[2]}", whole), encoding="utf-8")
