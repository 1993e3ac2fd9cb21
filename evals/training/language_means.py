"""Compute the language means that ship for an embedding model.

    python -m evals.training.language_means FOLDER [--model MODEL] [--out FILE]

FOLDER has one text in many languages, one file each (.txt or .html), such as the Universal Declaration of Human Rights:
the subject is the same everywhere, so the means differ only by language. The language of each file is detected. The
figures of a language come from paragraphs of at least 20 characters.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import click
import numpy as np

from store.embedding.centering import SHIPPED, LanguageMeans
from store.embedding.embedder import Embedder, PassageText, TextEmbedder
from store.embedding.token_states import TokenBasis
from store.text.language import UNKNOWN, detect_language

SHORTEST = 20


def paragraphs_of(path: Path) -> list[str]:
    """Return the paragraphs of a text or HTML file that are long enough to have a language."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        from selectolax.lexbor import LexborHTMLParser

        nodes = LexborHTMLParser(text).css("p, li, h1, h2, h3, h4")
        parts = [" ".join(node.text().split()) for node in nodes]
    else:
        parts = [line.strip() for line in text.splitlines()]
    return [part for part in parts if len(part) >= SHORTEST]


def compute_means(embedder: Embedder, texts: dict[str, list[str]]) -> LanguageMeans:
    """Return means over `texts`, which maps a language's tag to its paragraphs."""
    languages = tuple(sorted(texts))
    passages = [
        np.mean([v.passage for v in embedder.embed_passages([PassageText(t) for t in texts[tag]])], axis=0)
        for tag in languages
    ]
    queries = [embedder.embed_queries(texts[tag]).mean(axis=0) for tag in languages]
    return LanguageMeans(languages, np.stack(passages), np.stack(queries))


def compute_basis(embedder: TextEmbedder, texts: dict[str, list[str]]) -> TokenBasis:
    """Return the basis for tokens, from every fifth token of `texts`, so that each language's fit into memory."""
    languages = tuple(sorted(texts))
    samples, passages, queries = [], [], []
    for tag in languages:
        states = embedder.token_states(texts[tag], as_queries=False)
        samples.append(np.concatenate(states)[::5])
        passages.append(np.mean([some.mean(axis=0) for some in states if len(some)], axis=0))
        asked = embedder.token_states(texts[tag], as_queries=True)
        queries.append(np.mean([some.mean(axis=0) for some in asked if len(some)], axis=0))
    return TokenBasis.fit(LanguageMeans(languages, np.stack(passages), np.stack(queries)), samples)


def read_texts(folder: Path) -> dict[str, list[str]]:
    """Return paragraphs of all files by detected language; a text that exists in two formats counts once."""
    texts: dict[str, list[str]] = defaultdict(list)
    stems: set[str] = set()
    for path in sorted(folder.rglob("*"), key=lambda path: (path.suffix != ".txt", path)):
        if path.suffix not in {".txt", ".html"} or path.stem in stems:
            continue
        stems.add(path.stem)
        paragraphs = paragraphs_of(path)
        language = detect_language("\n".join(paragraphs))
        if paragraphs and language != UNKNOWN:
            texts[language].extend(paragraphs)
    return dict(texts)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", help="A model folder or a name on the Hub; the default model if left out.")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; where shipped means lie if left out.")
def main(folder: Path, model: str | None, out: Path | None) -> None:
    """Compute the language means that ship for an embedding model, and the basis of its tokens."""
    from store.embedding.weights import load_embedder

    embedder = load_embedder(model)
    texts = read_texts(folder)
    means = compute_means(embedder, texts)
    path = out or SHIPPED / f"{embedder.name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    means.save(path)
    compute_basis(embedder, texts).save(path.with_suffix(".tokens.npz"))
    click.echo(
        f"{len(means.languages)} languages to {path}: {' '.join(f'{t}:{len(texts[t])}' for t in means.languages)}"
    )


if __name__ == "__main__":
    main()
