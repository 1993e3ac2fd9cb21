"""The tests' own browser: one that hangs is replaced, and the tests go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import LastingBrowser, processes

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs a list of processes")


@pytest.fixture
def hasty(browser: LastingBrowser) -> Iterator[LastingBrowser]:
    """A second browser, for which three seconds are too long."""
    other = browser.another(patience=3)
    yield other
    other.close()


def stop(browser: LastingBrowser) -> None:
    """Have the browser's processes answer no more, without ending."""
    stopped = list(processes(browser.mark))
    assert stopped
    for identity in stopped:
        os.kill(identity, signal.SIGSTOP)


def test_a_page_is_opened_in_a_new_browser_when_the_old_one_no_longer_answers(hasty: LastingBrowser) -> None:
    first = hasty.new_page()
    stop(hasty)
    second = hasty.new_page()
    assert second.evaluate("1 + 1") == 2
    assert first.is_closed()


def test_closing_a_page_of_a_browser_that_no_longer_answers_ends_the_browser(hasty: LastingBrowser) -> None:
    page = hasty.new_page()
    stop(hasty)
    hasty.put_away(page.context.close)
    assert not hasty.is_alive()
    assert not list(processes(hasty.mark))


def test_what_fails_in_a_browser_that_answers_is_an_error(hasty: LastingBrowser) -> None:
    page = hasty.new_page()
    with pytest.raises(Exception, match="no such thing"):
        hasty.put_away(lambda: page.evaluate("() => { throw Error('no such thing') }"))
