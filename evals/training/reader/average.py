"""Average two adapters of one training: ``python -m evals.training.reader.average ONE OTHER RESULT``.

Weights of runs with a common beginning can be averaged, and the average is often better than either (Wortsman et al.
2022, arXiv:2203.05482). Here the later run was stricter and read spans better, but lost some answers across languages;
the mean keeps the spans and loses none of those.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file


@click.command()
@click.argument("one", type=click.Path(exists=True, path_type=Path))
@click.argument("other", type=click.Path(exists=True, path_type=Path))
@click.argument("result", type=click.Path(path_type=Path))
def main(one: Path, other: Path, result: Path) -> None:
    """Write the mean of two adapters to RESULT."""
    first, second = load_file(one), load_file(other)
    mean = {
        name: ((value.astype(np.float32) + second[name].astype(np.float32)) / 2).astype(np.float16)
        for name, value in first.items()
    }
    with safe_open(one, "np") as opened:
        save_file(mean, result, metadata=opened.metadata())


if __name__ == "__main__":
    main()
