"""Measure how the API handles many clients at once, and what it adds to the pipeline.

python -m evals.benchmarks.api http://127.0.0.1:7860 [--clients 100] [--rounds 5] [--token attest_...] [--process 4242]

It asks a running server, and checks that every reply is the complete answer to its own question. With the id of the
server's process, it also reports processor time, which says more than seconds while other work runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

TOPICS = (
    "the forum",
    "the vote",
    "human rights",
    "the conference in Vienna",
    "ประชุม",
    "Hội nghị",
    "การพัฒนา",
    "the council",
)


@dataclass(frozen=True, slots=True)
class Timed:
    """One question's times, in milliseconds."""

    first: float
    """Until the first event after the request."""
    whole: float
    pipeline: float
    """The part of it that the answer itself reports."""


async def ask(client: httpx.AsyncClient, question: str) -> Timed:
    """Ask one question as a stream. Raises AssertionError for a reply that is lost, cut or another question's."""
    began = time.perf_counter()
    first, text, answer = 0.0, "", None
    body = {"model": "attest", "messages": [{"role": "user", "content": question}], "stream": True}
    async with client.stream("POST", "/v1/chat/completions", json=body) as reply:
        assert reply.status_code == 200, (await reply.aread()).decode()  # noqa: S101 - what is measured
        async for line in reply.aiter_lines():
            if not line.startswith("data: {"):
                continue
            first = first or time.perf_counter() - began
            chunk = json.loads(line.removeprefix("data: "))
            text += chunk["choices"][0]["delta"].get("content") or ""
            answer = chunk.get("attest", answer)
    assert answer is not None and answer["question"] == question and answer["text"] == text, question  # noqa: S101
    return Timed(first * 1000, (time.perf_counter() - began) * 1000, answer["timings_ms"]["total"])


async def ask_many(url: str, clients: int, rounds: int, token: str | None) -> tuple[list[Timed], float]:
    """Return the times of all questions, `rounds` by each of `clients` at once, and the total seconds."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=600, limits=limits, trust_env=False) as client:

        async def one(number: int) -> list[Timed]:
            asked = (
                f"What is said of {TOPICS[(number + each) % len(TOPICS)]}, {number}.{each}?" for each in range(rounds)
            )
            return [await ask(client, question) for question in asked]

        began = time.perf_counter()
        found = await asyncio.gather(*map(one, range(clients)))
        return [timed for each in found for timed in each], time.perf_counter() - began


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has used so far (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def summary(name: str, found: Sequence[Timed], seconds: float, processor: float | None) -> str:
    """Return one line of figures."""

    def percentile(values: list[float], share: float) -> float:
        return sorted(values)[min(len(values) - 1, int(share * len(values)))]

    first, whole = [each.first for each in found], [each.whole for each in found]
    added = statistics.median(each.whole - each.pipeline for each in found)
    ratio = statistics.median(each.whole / each.pipeline for each in found)
    used = "" if processor is None else f"; {1000 * processor / len(found):.0f} ms of processor time an answer"
    return (
        f"{name}: {len(found)} answers in {seconds:.1f} s, {len(found) / seconds:.1f} a second; first event p50 "
        f"{percentile(first, 0.5):.0f} ms, p95 {percentile(first, 0.95):.0f} ms; whole p50 {percentile(whole, 0.5):.0f} ms, "
        f"p95 {percentile(whole, 0.95):.0f} ms; beside the pipeline p50 {added:.1f} ms, {ratio:.2f} times its own time{used}"
    )


def main() -> None:
    """Print the figures of one client, and of many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rounds-of-one", type=int, default=50, help="Questions of the client that is alone.")
    parser.add_argument("--token")
    parser.add_argument("--process", type=int, help="The id of the server's process.")
    given = parser.parse_args()
    of_one, of_many = ("one client", 1, given.rounds_of_one), (f"{given.clients} clients", given.clients, given.rounds)
    for name, clients, rounds in (of_one, of_many):
        before = processor_seconds(given.process) if given.process else 0.0
        found, seconds = asyncio.run(ask_many(given.url, clients, rounds, given.token))
        used = processor_seconds(given.process) - before if given.process else None
        print(summary(name, found, seconds, used))


if __name__ == "__main__":
    main()
