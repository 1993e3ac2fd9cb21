"""With many programs at once, every reply is complete and answers its own question."""

from __future__ import annotations

import pytest

from evals.benchmarks.api import ask_many
from tests.api.conftest import Served
from tests.asynchronous import run


@pytest.mark.hard
def test_a_hundred_clients_each_get_the_answer_to_their_own_question(served: Served) -> None:
    found, _ = run(ask_many(served.address, 100, 3, None))
    assert len(found) == 300


def test_leaving_a_stream_stops_its_answer(served: Served) -> None:
    with served.client() as client:
        body = {
            "model": "attest",
            "messages": [{"role": "user", "content": "What is said of the vote?"}],
            "stream": True,
        }
        with client.stream("POST", "/v1/chat/completions", json=body) as reply:
            next(reply.iter_lines())
        run(ask_many(served.address, 30, 1, None))  # more than are worked on at once: none is held up
        for _ in range(100):
            running = [
                line for line in client.get("/metrics").text.splitlines() if line.startswith("attest_answers_running ")
            ]
            if running == ["attest_answers_running 0.0"]:
                break
        assert running == ["attest_answers_running 0.0"]
