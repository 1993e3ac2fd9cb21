# ruff: noqa: S104 - nothing is bound there
"""The server announces its address when it answers, or says in a sentence why it can't."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from assistant.server.serve import address, bound, is_loopback, listen
from store.errors import PortInUseError


def test_a_port_in_use_is_one_sentence_that_says_what_to_do() -> None:
    with closing(bound("127.0.0.1", 0)) as listener:
        listen(listener, "127.0.0.1")
        port = listener.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"127.0.0.1:{port}.*choose another --port"):
            bound("127.0.0.1", port)


def test_of_two_that_start_at_once_the_slower_says_so() -> None:
    with closing(bound("127.0.0.1", 0)) as first, closing(bound("127.0.0.1", first.getsockname()[1])) as second:
        listen(first, "127.0.0.1")
        with pytest.raises(PortInUseError, match=r"choose another --port"):
            listen(second, "127.0.0.1")


def test_an_address_that_is_not_of_this_machine_is_one_sentence_too() -> None:
    with pytest.raises(PortInUseError, match=re.escape("can't be served at http://203.0.113.7:7860")):
        bound("203.0.113.7", 7860)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "http://127.0.0.1:1"), ("0.0.0.0", "http://127.0.0.1:1"), ("::1", "http://[::1]:1")],
)
def test_the_address_can_be_typed_into_a_browser(host: str, shown: str) -> None:
    assert address(host, 1) == shown


def test_only_the_loopback_is_taken_for_the_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "192.168.0.4")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_asking_for_a_port_loads_nothing_heavy() -> None:
    code = (
        "import sys; from assistant.server.serve import bound; bound('127.0.0.1', 0);"
        "assert not {'gradio', 'torch', 'chromadb', 'transformers', 'fastapi'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=240)


def test_an_ipv6_address_is_served_where_the_machine_has_one() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with closing(bound("::1", 0)) as listener:
            assert listener.getsockname()[0] == "::1"
    except PortInUseError:
        pytest.skip("no IPv6 loopback here")
