"""The small model itself works, in the process and behind a real endpoint; run if it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.llms import ChatMessage

from assistant.answer.written_answer import Written, warm, write
from assistant.llm.base import counter_of, stream_text
from assistant.llm.endpoint import endpoint
from assistant.llm.gguf import GgufLLM
from assistant.llm.install import SMALL, find_installed, sha256_of
from assistant.llm.registry import served_models
from tests.assistant.quotes import quote

pytestmark = pytest.mark.hard
ASK = [ChatMessage(role="user", content="Count from one to three hundred in words.")]
EVIDENCE = (
    quote(1, "On 6 October 2022 the Council rejected the proposal by 19 votes to 17, with 11 abstentions."),
    quote(2, "มีผู้เข้าร่วมมากกว่า 300 คน จากเกือบ 100 ประเทศ", "th", speaker="News desk"),
)


@pytest.fixture(scope="module")
def path() -> Path:
    found = find_installed()
    if found is None:
        pytest.skip("The small language model is not installed; `attest models install` gets it.")
    return found


@pytest.fixture(scope="module")
def llm(path: Path) -> GgufLLM:
    pytest.importorskip("xllamacpp")
    model = GgufLLM(path=str(path))
    model.load()
    warm(model)
    return model


def test_the_installed_file_is_the_one_that_it_should_be(path: Path) -> None:
    assert sha256_of(path) == SMALL.sha256


def test_what_it_writes_is_shown_with_its_quote(llm: GgufLLM) -> None:
    *_, written = write("How did the Council vote on the proposal?", EVIDENCE, "en", llm)
    assert isinstance(written, Written)
    assert written.outcome == "written"
    assert "19" in written.text
    assert all(claim.citations == (1,) for claim in written.claims)


def test_stopping_frees_it_before_it_has_written_to_its_end(llm: GgufLLM) -> None:
    pieces = stream_text(llm, ASK, max_tokens=250)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    with llm._turn:
        assert not llm.spent, "the model wrote on"


def test_two_readers_take_turns(llm: GgufLLM) -> None:
    one, other = (stream_text(llm, ASK, max_tokens=4) for _ in range(2))
    first = next(one)
    assert "".join(one)
    assert first
    assert "".join(other)


def test_it_counts_its_own_tokens(llm: GgufLLM) -> None:
    assert counter_of(llm)("hello world") == 2


SERVER = """
import json, sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel, params.port, params.verbosity = sys.argv[1], 2048, 1, 0, 0
params.api_keys = ["secret"]
server = xllamacpp.Server(params)
print(json.dumps(server.listening_address), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def served(path: Path) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith('"'))
        yield json.loads(line) + "/v1"
    finally:
        process.kill()
        process.wait()


def test_the_same_file_behind_an_endpoint_writes_too(served: str) -> None:
    (name,) = served_models(served, "secret")
    *_, written = write("How did the Council vote on the proposal?", EVIDENCE, "en", endpoint(served, name, "secret"))
    assert isinstance(written, Written)
    assert written.outcome == "written", written.problem
    assert "19" in written.text


def test_an_endpoint_that_wants_another_key_is_told(served: str) -> None:
    *_, written = write("How did the Council vote?", EVIDENCE, "en", endpoint(served, "any", "wrong"))
    assert isinstance(written, Written)
    assert "ATTEST_API_KEY" in str(written.problem)
