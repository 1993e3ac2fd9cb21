"""A faulty language-model endpoint costs limited time; the quotes are shown, and nothing continues in the background."""

from __future__ import annotations

import threading
import time
import tracemalloc

import pytest

from assistant.answer.pipeline import Assistant
from assistant.llm.endpoint import endpoint as model_at
from assistant.types import AskOptions, EvidenceFound
from store.library import Library
from tests.reliability.conftest import QUESTION
from tests.reliability.endpoints import FLOOD, Endpoint

PATIENCE = 1.0
MEBIBYTE = 2**20


def _assistant(library: Library, endpoint: Endpoint, kind: str) -> Assistant:
    return Assistant(library, lambda: model_at(endpoint.url, kind, "none", timeout=PATIENCE), "written")


def _model_threads() -> int:
    return sum(thread.name == "endpoint" for thread in threading.enumerate())


@pytest.mark.parametrize("kind", ["hangs", "pauses", "cuts", "500", "429", "401", "404"])
def test_quotes_are_shown_when_the_endpoint_fails(library: Library, endpoint: Endpoint, kind: str) -> None:
    events = _assistant(library, endpoint, kind).ask(QUESTION)
    first = next(events)
    assert isinstance(first, EvidenceFound), "the quotes wait for the model"
    assert first.evidence
    *_, last = events
    answer = last.answer  # type: ignore[union-attr]
    assert answer.answered
    assert answer.evidence == first.evidence
    assert {notice.code for notice in answer.notices} & {"model_unavailable", "incomplete"}, answer.notices
    assert endpoint.asked, "the endpoint was never asked"
    assert len(endpoint.asked) < 6
    _await(lambda: _model_threads() == 0)


@pytest.mark.parametrize("kind", ["hangs", "cuts", "500", "floods"])
def test_an_answer_is_whole_when_its_translation_fails(library: Library, endpoint: Endpoint, kind: str) -> None:
    options = AskOptions(mode="quotes", answer_language="th", translate=True)
    answer = _assistant(library, endpoint, kind).answer(QUESTION, options=options)
    assert answer.answered
    assert answer.evidence
    assert answer.text
    assert not any(each.translation for each in answer.evidence)
    codes = {notice.code for notice in answer.notices}
    assert codes & {"model_unavailable", "incomplete"}
    assert "translated" not in codes
    assert endpoint.asked, "the endpoint was never asked"
    _await(lambda: _model_threads() == 0)


def test_a_hundred_megabytes_are_not_received(library: Library, endpoint: Endpoint) -> None:
    assistant = _assistant(library, endpoint, "floods")
    assistant.answer(QUESTION, options=AskOptions(mode="quotes"))  # Models are loaded before memory is measured.
    tracemalloc.start()
    try:
        answer = assistant.answer(QUESTION)
        _await(lambda: _model_threads() == 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.evidence
    assert len(answer.text) < 20_000
    assert endpoint.left.wait(900), "it went on sending to nobody"
    assert endpoint.sent < FLOOD / 2
    assert peak < 100 * MEBIBYTE


def test_who_stops_reading_frees_the_endpoint(library: Library, endpoint: Endpoint) -> None:
    events = _assistant(library, endpoint, "pauses").ask(QUESTION)
    assert isinstance(next(events), EvidenceFound)
    while not endpoint.asked:  # Before that there is no connection to close.
        next(events)
    events.close()  # type: ignore[attr-defined]
    assert endpoint.left.wait(900), "the connection was kept"
    _await(lambda: _model_threads() == 0)


def _await(condition: object, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
