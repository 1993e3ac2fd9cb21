"""Measure how fast Attest embeds and answers, as ratios and as growth: ``make bench-speed``.

    python -m evals.benchmarks.speed [--data FOLDER] [--most N] [--rounds N] [--docs]

Embedding: the same texts by Attest, by the bare model on Attest's own batches, and by LlamaIndex's `IngestionPipeline`
with `SentenceSplitter` and `HuggingFaceEmbedding` as in its documentation. They run alternately, so that they have the
same load, and results are ratios per round. LlamaIndex's chunks are longer than what the model reads, so it ignores
part of long texts; all characters are counted for it anyway.

Questions: libraries of 1,000 to `--most` passages, made by `evals.benchmarks.synthetic`, opened by a fresh process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from evals.benchmarks.figures import IMAGES, machine, replace_section, save, table
from evals.benchmarks.questions import read_xquad
from evals.benchmarks.synthetic import Recombiner, embed_sentences, read_texts
from evals.training.hugging_face_folder import hugging_face_folder
from ingest.chunk import chunk
from ingest.pipeline import SAMPLES
from store.embedding.embedder import PassageText, TextEmbedder
from store.library import Library
from store.text.language import detect_language
from store.types import Span

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
QUESTIONS = 60


@dataclass(frozen=True, slots=True)
class Work:
    """Texts to embed, and the seconds that each way took in each round."""

    characters: int
    tokens: int
    seconds: dict[str, list[float]]


def embedding(texts: Sequence[str], embedder: TextEmbedder, rounds: int) -> Work:
    """Embed `texts` in all three ways, alternately."""
    passages = [passage for text in texts for passage in _cut(text, embedder)]
    ways: dict[str, Callable[[], object]] = {
        "bare": _bare(passages, embedder),
        "Attest": lambda: embedder.embed_passages(passages),
        "Attest from text": lambda: embedder.embed_passages([p for text in texts for p in _cut(text, embedder)]),
        "LlamaIndex": _stock(texts, hugging_face_folder()),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if turn:  # The first round warms up.
                seconds[name].append(time.perf_counter() - began)
    return Work(sum(map(len, texts)), sum(embedder.count_tokens(p.text) for p in passages), seconds)


def _cut(text: str, embedder: TextEmbedder) -> list[PassageText]:
    cut = chunk(text, detect_language(text), count_tokens=embedder.count_tokens)
    return [
        PassageText(text[p.start : p.end], tuple(Span(s.start - p.start, s.end - p.start) for s in p.sentences))
        for p in cut
    ]


def _bare(passages: Sequence[PassageText], embedder: TextEmbedder) -> Callable[[], None]:
    """Run the model alone on exactly the batches that Attest makes, without tokenizing or pooling."""
    from store.embedding import embedder as embed

    rows = [each.ids for each in embedder._encode([f"passage: {p.text}" for p in passages])]
    padded = [embedder._pad([rows[number] for number in batch]) for batch in embed._batches([len(r) for r in rows])]

    def run() -> None:
        for ids, mask in padded:
            embedder._model.states(ids, mask)

    return run


def _stock(texts: Sequence[str], folder: Path) -> Callable[[], object]:
    import torch
    from llama_index.core import Document
    from llama_index.core.ingestion import IngestionPipeline
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    model = HuggingFaceEmbedding(
        model_name=str(folder),
        query_instruction="query: ",
        text_instruction="passage: ",
        device="cpu",
        # As in the model's own files on the Hub; ours are in half precision, which CPUs emulate slowly.
        model_kwargs={"dtype": torch.float32},
    )
    documents = [Document(text=text) for text in texts]

    def run() -> object:
        # A pipeline remembers its input, so use a new one each time.
        return IngestionPipeline(transformations=[SentenceSplitter(), model]).run(documents=documents)

    return run


def growth(data: Path | None, embedder: TextEmbedder, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Return the measurements of a process that opens a library of each size."""
    recombiner = Recombiner(embed_sentences(read_texts(data, SAMPLES), embedder), embedder)
    measured: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.json"
        questions.write_text(json.dumps(_questions(data)), encoding="utf-8")
        home, passages = Path(folder) / "home", 0
        for size in sizes:
            began = time.perf_counter()
            with Library.open(home, embedder=recombiner) as library:
                for result in library.add_many(recombiner.documents(size - passages)):
                    passages += result.document.passage_count
            filled = time.perf_counter() - began
            done = subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-m", "evals.benchmarks.speed_probe", str(home), str(questions)],
                capture_output=True,
                text=True,
                check=True,
            )
            measured.append({**json.loads(done.stdout.splitlines()[-1]), "fill_seconds": filled})
            click.echo(f"{passages:,} passages measured", err=True)
    return measured


def _questions(data: Path | None) -> list[str]:
    """Return questions evenly from each language of XQuAD, or else from the suites that ship."""
    if data is not None and (data / "xquad-dev").is_dir():
        parallel = read_xquad(data / "xquad-dev").values()
        each = QUESTIONS // len(parallel)
        return [q.text for some in parallel for q in some.questions[:: len(some.questions) // each][:each]]
    suite = Path(__file__).parent / "data" / "near_misses.jsonl"
    return [json.loads(line)["answerable"] for line in suite.read_text(encoding="utf-8").splitlines()][:QUESTIONS]


def embedding_table(work: Work) -> str:
    """Return rates, and ratios round by round."""
    seconds = work.seconds

    def ratio(slow: str, fast: str) -> str:
        found = [one / other for one, other in zip(seconds[slow], seconds[fast], strict=True)]
        return f"{median(found):.2f} ({min(found):.2f} to {max(found):.2f})"

    rows = [
        [name, f"{work.tokens / median(spent):,.0f}", f"{work.characters / median(spent):,.0f}"]
        for name, spent in seconds.items()
    ]
    rates = table(["", "tokens/s (of Attest's passages)", "characters/s"], rows)
    return (
        f"{work.tokens:,} tokens, {len(seconds['bare'])} rounds in turns; medians.\n\n{rates}\n\n"
        f"Attest's rate as a share of the bare model's: {ratio('bare', 'Attest')}. "
        f"Attest's rate from text, beside LlamaIndex's on the same texts: {ratio('LlamaIndex', 'Attest from text')} times."
    )


def growth_tables(measured: Sequence[dict[str, Any]]) -> str:
    """Return questions by size and filter, then the keyword index and memory by size."""
    rows = []
    for each in measured:
        for name, asked in each["questions"].items():
            own = [one["own"] for one in asked]
            chroma = [one["retrieve_vectors"] for one in asked]
            cells = [_milliseconds(own, 50), _milliseconds(own, 95), _milliseconds(chroma, 50)]
            rows.append([f"{each['passages']:,}", name, *cells])
    first = table(["passages", "filter", "own p50, ms", "own p95, ms", "Chroma p50, ms"], rows)
    rows = [
        [
            f"{each['passages']:,}",
            f"{each['keywords_open_seconds'] * 1000:.0f}",
            f"{each['keywords_add_seconds'] * 1000:.0f}",
            f"{each['keywords_remove_seconds'] * 1000:.0f}",
            f"{each['prepare_seconds']:.2f}",
            f"{each['megabytes']:.0f}",
        ]
        for each in measured
    ]
    header = ["passages", "keywords opened, ms", "100 added, ms", "100 removed, ms", "all opened, s", "memory, MB"]
    least, most = measured[0], measured[-1]
    slope = (most["megabytes"] - least["megabytes"]) / max(1, most["passages"] - least["passages"]) * 100_000
    return f"{first}\n\n{table(header, rows)}\n\nMemory grows by {slope:.0f} MB for 100,000 passages."


def draw(measured: Sequence[dict[str, Any]], folder: Path) -> None:
    """Draw two plots over the number of passages: the time of a question, and memory."""
    from evals.reports.plots import Series, lines, nice_most, standalone

    own = [
        (float(each["passages"]), float(np.percentile([one["own"] for one in each["questions"]["no filter"]], part)))
        for part in (50, 95)
        for each in measured
    ]
    middle, high = tuple(own[: len(measured)]), tuple(own[len(measured) :])
    memory = tuple((float(each["passages"]), float(each["megabytes"])) for each in measured)
    most = nice_most(measured[-1]["passages"])
    folder.mkdir(parents=True, exist_ok=True)
    for name, series, label in (
        ("question-time", [Series("median", middle), Series("95th percentile", high, "b")], "milliseconds"),
        ("memory", [Series("memory", memory)], "megabytes"),
    ):
        top = nice_most(max(up for one in series for _, up in one.points))
        plot = lines(series, title=f"{name} by passages", x="passages", y=label, x_most=most, y_most=top)
        (folder / f"{name}.svg").write_text(standalone(plot), encoding="utf-8")


def _milliseconds(values: Sequence[float], part: int) -> str:
    return f"{np.percentile(values, part):.1f}"


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("../shared/data"), show_default=True)
@click.option("--most", type=click.IntRange(min=1_000), default=100_000, show_default=True, help="Passages at most.")
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Of embedding.")
@click.option("--texts", type=click.IntRange(min=1), default=40, show_default=True, help="Texts to embed.")
@click.option("--docs", is_flag=True, help="Write tables and plots into docs.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("build"), show_default=True)
def main(data: Path, most: int, rounds: int, texts: int, docs: bool, out: Path) -> None:
    """Measure how fast Attest embeds and answers."""
    from store.embedding.weights import load_embedder

    embedder = load_embedder()
    folder = data if data.is_dir() else None
    work = embedding(read_texts(folder, SAMPLES)[:texts], embedder, rounds)
    parts = [machine(), embedding_table(work)]
    click.echo(parts[-1], err=True)
    measured = growth(folder, embedder, [size for size in SIZES if size <= most])
    parts.append(growth_tables(measured))
    report = "\n\n".join(parts)
    click.echo(report)
    path = save("bench-speed", {"embedding": work.seconds, "growth": measured}, out)
    draw(measured, IMAGES if docs else out)
    click.echo(f"All numbers: {path}", err=True)
    if docs:
        replace_section("speed", report)


if __name__ == "__main__":
    main()
