"""Train the reader: ``python -m evals.training.reader.train FOLDER``.

FOLDER gets checkpoints, a log of losses, and at the end ``adapter.safetensors``. A stopped run continues at its last
checkpoint. The learning rate rises, stays, and falls in the last fifth (`--tokens` in total); `--finish` begins the
fall at the run's current position, if time runs out.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoModel

from evals.training.hugging_face_folder import hugging_face_folder
from evals.training.reader.examples import Example, Paragraph, examples_of, read_lines, read_parallel
from evals.training.reader.network import SpanReader, save_adapter
from evals.training.reader.synthetic import made_up
from evals.training.reader.yes_no import yes_no

TOKENS = 192
"""Tokens of question and window together."""
QUESTION_TOKENS = 48
BATCH_TOKENS = 3072
RATE = 4e-4
HEAD_RATE = 2.5
"""Multiple of the rate for the head, which starts at random values."""
VECTOR_RATE = 0.5
"""Multiple of the rate for biases and layer norms."""
WARM = 150_000
"""Tokens over which the rate rises."""
FALL = 0.2
"""Share of all tokens over which it falls."""
EVERY = 25
"""Batches between two checkpoints."""
POOL = 4096
"""Examples sorted by length together."""

SHARES = {
    "iapp-th": 1.0,
    "mlqa-dev-en-vi": 1.6,
    "idk-mrc-id": 0.45,
    "squad2-train10-en": 1.0,
    "squadshifts-wiki-en": 0.7,
    "policyqa-en": 0.12,
    "tydi-goldp": 0.3,
    "jaquad-ja": 0.12,
    "drcd-zh": 0.5,
    "cmrc-zh": 0.4,
    "pquad-fa": 0.2,
    "arcd-ar": 1.0,
    "tquad2-tr": 0.2,
}
"""The share of each set in one round: Thai, Vietnamese and English most, others so that no language is lost."""
PARALLEL_SHARE = 2.0
MADE_UP = 9000
YES_NO = 5000
INFERENCE = ("nli-mnli-part", "nli-indonli-id")
PARALLEL_LANGUAGES = ("en", "th", "vi")


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example as numbers: ids, the first token of the window, and the answer's first and last token (0: none)."""

    ids: list[int]
    window: int
    first: int
    last: int


def one_round(data: Path, seed: int) -> list[Example]:
    """Return the examples of one round in random order, with other windows and negatives each round."""
    chance = random.Random(f"round/{seed}")  # noqa: S311 - a repeatable draw, no secret
    examples: list[Example] = []
    texts: list[Paragraph] = []
    for name, share in SHARES.items():
        paragraphs = read_lines(data / "reading" / f"{name}.jsonl.gz")
        texts += chance.sample(paragraphs, min(400, len(paragraphs)))
        examples += _share(list(examples_of(paragraphs, name, seed)), share, chance)
    parallel = read_parallel(data / "xquad-dev", PARALLEL_LANGUAGES, held_out=False)
    examples += _share(list(examples_of(parallel, "parallel", seed)), PARALLEL_SHARE, chance)
    examples += list(made_up(texts, MADE_UP, seed))
    inference = [data / "reading" / f"{name}.jsonl.gz" for name in INFERENCE]
    examples += list(yes_no(inference, texts, YES_NO, seed))
    chance.shuffle(examples)
    return examples


def _share(examples: list[Example], share: float, chance: random.Random) -> list[Example]:
    whole, part = divmod(share, 1.0)
    return examples * int(whole) + chance.sample(examples, int(part * len(examples)))


def encode(tokenizer: Tokenizer, example: Example) -> Encoded | None:
    """Return the example as numbers; None if the answer isn't within the tokens that are read."""
    question = tokenizer.encode(example.question, add_special_tokens=False)
    window = tokenizer.encode(example.text, add_special_tokens=False)
    start, end = (tokenizer.encode("").ids[at] for at in (0, -1))
    asked = question.ids[:QUESTION_TOKENS]
    begin = len(asked) + 3
    room = TOKENS - begin - 1
    ids = [start, *asked, end, end, *window.ids[:room], end]
    if example.answer is None:
        return Encoded(ids, begin, 0, 0)
    inside = [
        number
        for number, (low, high) in enumerate(window.offsets)
        if low < example.answer[1] and high > example.answer[0] and high > low
    ]
    if not inside or inside[-1] >= room:
        return None
    return Encoded(ids, begin, begin + inside[0], begin + inside[-1])


def batches(encoded: Sequence[Encoded], chance: random.Random) -> Iterator[list[Encoded]]:
    """Yield batches of similar lengths in random order."""
    made: list[list[Encoded]] = []
    for begin in range(0, len(encoded), POOL):
        batch: list[Encoded] = []
        for each in sorted(encoded[begin : begin + POOL], key=lambda example: len(example.ids)):
            if batch and (len(batch) + 1) * len(each.ids) > BATCH_TOKENS:
                made.append(batch)
                batch = []
            batch.append(each)
        made.append(batch)
    chance.shuffle(made)
    yield from (batch for batch in made if batch)


def loss_of(model: SpanReader, batch: Sequence[Encoded]) -> torch.Tensor:
    """Return the mean cross-entropy of first and last token; tokens of the question can't be chosen."""
    width = max(len(each.ids) for each in batch)
    ids = torch.ones((len(batch), width), dtype=torch.long)
    attention = torch.zeros((len(batch), width), dtype=torch.long)
    closed = torch.full((len(batch), width), -1e4)
    for row, each in enumerate(batch):
        ids[row, : len(each.ids)] = torch.tensor(each.ids)
        attention[row, : len(each.ids)] = 1
        closed[row, 0] = 0
        closed[row, each.window : len(each.ids) - 1] = 0
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids, attention)
    logits = logits.float() + closed.unsqueeze(-1)
    first = torch.tensor([each.first for each in batch])
    last = torch.tensor([each.last for each in batch])
    return (functional.cross_entropy(logits[..., 0], first) + functional.cross_entropy(logits[..., 1], last)) / 2


def rate_at(seen: int, total: int, fall_from: int) -> float:
    """Return the learning rate after `seen` tokens."""
    rising = min(1.0, (seen + 1) / WARM)
    falling = 1.0 if seen < fall_from else max(0.0, (total - seen) / max(1, total - fall_from))
    return RATE * rising * falling


@dataclass(slots=True)
class Run:
    """A training in progress."""

    folder: Path
    model: SpanReader
    optimizer: torch.optim.Optimizer
    seen: int = 0
    """Tokens trained on."""
    round: int = 0
    batch: int = 0
    """Batches of the round that are done."""


def main() -> None:
    """Run the training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--tokens", type=int, default=10_000_000)
    parser.add_argument("--finish", type=int, default=0, help="let the rate fall over this many tokens from here on")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    base = hugging_face_folder()
    torch.manual_seed(options.seed)
    encoder = AutoModel.from_pretrained(base, dtype=torch.float32, add_pooling_layer=False)
    model = SpanReader(encoder, encoder.config.hidden_size).train()
    model.encoder.eval()
    run = Run(options.folder, model, _optimizer(model))
    _resume(run)
    total, fall_from = options.tokens, int(options.tokens * (1 - FALL))
    if options.finish:
        fall_from, total = run.seen, run.seen + options.finish
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    while run.seen < total:
        examples = one_round(options.data, options.seed + run.round)
        encoded = [each for example in examples if (each := encode(tokenizer, example))]
        _learn(run, encoded, options.seed, total, fall_from)
    save_adapter(model, options.folder / "adapter.safetensors")


def _learn(run: Run, encoded: Sequence[Encoded], seed: int, total: int, fall_from: int) -> None:
    """Continue one round from its current position, to its end or to `total` tokens."""
    chance = random.Random(f"order/{seed}/{run.round}")  # noqa: S311 - a repeatable draw, no secret
    trained = list(run.model.trained().values())
    began, first_seen, losses = time.monotonic(), run.seen, list[float]()
    for batch in list(batches(encoded, chance))[run.batch :]:
        for group in run.optimizer.param_groups:
            group["lr"] = rate_at(run.seen, total, fall_from) * group["share"]
        loss = loss_of(run.model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        run.optimizer.step()
        run.optimizer.zero_grad(set_to_none=True)
        run.seen += sum(len(each.ids) for each in batch)
        run.batch += 1
        losses.append(loss.item())
        if len(losses) == EVERY:
            speed = (run.seen - first_seen) / (time.monotonic() - began)
            _note(run, sum(losses) / EVERY, speed)
            losses.clear()
            _save(run)
        if run.seen >= total:
            return
    run.round, run.batch = run.round + 1, 0


def _note(run: Run, loss: float, speed: float) -> None:
    line = {"tokens": run.seen, "round": run.round, "batch": run.batch - 1, "loss": loss, "tokens/s": speed}
    with (run.folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")


def _optimizer(model: SpanReader) -> torch.optim.Optimizer:
    groups: dict[float, list[torch.nn.Parameter]] = {HEAD_RATE: [], VECTOR_RATE: [], 1.0: []}
    for name, parameter in model.trained().items():
        share = HEAD_RATE if name.startswith("head") else VECTOR_RATE if parameter.ndim == 1 else 1.0
        groups[share].append(parameter)
    return torch.optim.AdamW(
        [{"params": each, "share": share, "weight_decay": 0.01 * (share == 1.0)} for share, each in groups.items()],
        lr=RATE,
        betas=(0.9, 0.99),
    )


def _save(run: Run) -> None:
    values = {name: each.detach().clone() for name, each in run.model.trained().items()}
    save_file(values, run.folder / "checkpoint.safetensors.part")
    state = {"optimizer": run.optimizer.state_dict(), "seen": run.seen, "round": run.round, "batch": run.batch}
    torch.save(state, run.folder / "optimizer.pt.part")
    (run.folder / "checkpoint.safetensors.part").replace(run.folder / "checkpoint.safetensors")
    (run.folder / "optimizer.pt.part").replace(run.folder / "optimizer.pt")


def _resume(run: Run) -> None:
    if not (run.folder / "optimizer.pt").is_file():
        return
    run.model.load_trained(load_file(run.folder / "checkpoint.safetensors"))
    state = torch.load(run.folder / "optimizer.pt", weights_only=True)
    run.optimizer.load_state_dict(state["optimizer"])
    run.seen, run.round, run.batch = state["seen"], state["round"], state["batch"]


if __name__ == "__main__":
    main()
