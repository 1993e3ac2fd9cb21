"""A long conversation stays smooth: frames, memory, and the time to the first quote, before and after."""

from __future__ import annotations

import pytest

from tests.page.conftest import Served, Visit

QUESTION = "How many villages have warning bells?"

_FRAMES = """() => new Promise(done => {
    const scroll = document.querySelector('#scroll');
    scroll.scrollTop = 0;
    let frames = 0;
    const start = performance.now();
    const step = now => {
        frames += 1;
        scroll.scrollTop += 200;
        if (now - start < 2000) requestAnimationFrame(step); else done(frames / 2);
    };
    requestAnimationFrame(step);
})"""


@pytest.mark.hard
def test_a_conversation_of_two_hundred_turns_stays_smooth(visit: Visit, served: Served) -> None:
    page, kept = visit.page, served.conversations
    session = visit.context.new_cdp_session(page)
    session.send("Performance.enable")

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        values = {item["name"]: item["value"] for item in session.send("Performance.getMetrics")["metrics"]}
        return float(values["JSHeapUsedSize"]) / 1e6

    visit.ask(QUESTION)
    frames_before, heap_before = page.evaluate(_FRAMES), heap()
    identity = page.evaluate("new URL(location.href).searchParams.get('c')")
    (first,) = kept.branch(identity)
    parent = first.id
    for number in range(199):
        turn = kept.ask(identity, parent, f"question {number}")
        kept.close_turn(turn.id, "finished", first.answer)
        parent = turn.id
    page.reload()
    page.wait_for_selector(".turn")
    while page.locator("#earlier").is_visible():
        count = page.locator(".turn").count()
        page.click("#earlier")
        page.wait_for_function("n => document.querySelectorAll('.turn').length > n", arg=count)
    assert page.locator(".turn").count() == 200
    frames_after, heap_after = page.evaluate(_FRAMES), heap()
    print(f"frames per second {frames_before:.0f} -> {frames_after:.0f}, heap {heap_before:.1f} -> {heap_after:.1f} MB")
    assert frames_after > 0.6 * frames_before
    assert heap_after < heap_before + 15
    visit.ask(QUESTION)
