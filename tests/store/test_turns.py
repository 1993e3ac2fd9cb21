"""Searches wait for their turn in the order in which they were asked, and no turn is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from store.search.turns import Turns

PATIENCE = 60


def test_no_more_than_so_many_are_let_in_at_once() -> None:
    turns, inside, most = Turns(3), [0], [0]
    lock = threading.Lock()

    def work() -> None:
        with turns.turn():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(20) as threads:
        for each in [threads.submit(work) for _ in range(500)]:
            each.result(PATIENCE)
    assert inside == [0]
    assert 1 <= most[0] <= 3


def test_who_came_first_is_let_in_first() -> None:
    turns, order = Turns(1), []
    threads = []

    def wait(number: int) -> None:
        with turns.turn():
            order.append(number)

    with turns.turn():
        for number in range(10):
            threads.append(threading.Thread(target=wait, args=(number,)))
            threads[-1].start()
            while len(turns._waiting) <= number:
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join(PATIENCE)
    assert order == list(range(10))


def test_an_error_gives_the_turn_back() -> None:
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="odd"), turns.turn():
            raise ValueError("odd")
    with turns.turn():
        pass
