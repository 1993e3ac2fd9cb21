"""Fit the classifier of turns to its examples, for the shipped embedding model: ``python -m evals.training.turns``.

Run it whenever an example changes; a test fails until you do.
"""

from __future__ import annotations

import click

from assistant.answer.dialogue.classifier import FITTED, fit, fitted_name
from store.embedding.weights import load_embedder


@click.command()
def main() -> None:
    """Write the fit for the default model, and remove the one before."""
    embedder = load_embedder()
    made = fit(embedder)
    FITTED.mkdir(exist_ok=True)
    for path in FITTED.glob("*.npz"):
        path.unlink()
    made.save(FITTED / fitted_name(embedder))
    click.echo(f"{len(made.weights)} examples")


if __name__ == "__main__":
    main()
