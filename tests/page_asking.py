"""Ask a server like the page does: with one request, whose reply is the states of the turn."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

NO_HEADERS: Mapping[str, str] = {}


def page_states(
    port: int,
    question: object,
    ticket: str = "1",
    *,
    host: str = "127.0.0.1",
    headers: Mapping[str, str] = NO_HEADERS,
    **payload: object,
) -> Iterator[dict[str, Any]]:
    """Each state of the turn as it comes; closing the iterator leaves, as a browser does."""
    event = {"ticket": ticket, "question": question, "options": {}, **payload}
    with closing(http.client.HTTPConnection(host, port, timeout=240)) as connection:
        connection.request("POST", "/attest/ask", json.dumps(event), {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        assert response.status == 200, (response.status, response.read())
        state: dict[str, Any] = {}
        for line in response:
            if line.strip():
                state = {**state, **json.loads(line)}
                yield state
