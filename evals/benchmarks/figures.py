"""Write benchmark results: tables in Markdown, plots as files, and a description of the machine."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from store.embedding.encoder import best_precision, processor_flags

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES = DOCS / "figures.md"
IMAGES = DOCS / "images"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, with all but the first column aligned to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *rows))


def share(value: float | None) -> str:
    """Return a rate in a table's usual form: .967, 1.000, or a dash for None."""
    return "-" if value is None else f"{value:.3f}".removeprefix("0")


def machine() -> str:
    """Return the measuring machine in words, without its name or paths."""
    flags = processor_flags()
    names = {"AVX-512": "avx512f", "AMX": "amx_tile", "VNNI": "avx512_vnni", "AVX2": "avx2"}
    features = [name for name, flag in names.items() if flag in flags]
    packages = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "chromadb", "llama-index-core"))
    return (
        f"{os.cpu_count()} cores ({platform.machine()}{', ' + ' and '.join(features) if features else ''}; no GPU), "
        f"{platform.system()}, Python {platform.python_version()}, {packages}; {best_precision()}. {date.today().isoformat()}."
    )


def save(name: str, content: dict[str, object], folder: Path = Path("build")) -> Path:
    """Write all numbers as JSON, for comparing two runs."""
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
