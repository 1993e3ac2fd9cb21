"""JSON over HTTP, with failures told apart: out of reach, refused, no usable reply."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import httpx

from evals.systems.base import ReplyError, UnreachableError

KEY_VARIABLE = "ATTEST_SYSTEM_KEY"
"""Environment variable with the bearer token for the system under test."""
TIMEOUT_SECONDS = 300.0
_BUSY = frozenset({408, 425, 429, 502, 503, 504})


def bearer() -> dict[str, str]:
    """Return the header with the key for the system under test, if the environment has one."""
    key = os.environ.get(KEY_VARIABLE)
    return {"Authorization": f"Bearer {key}"} if key else {}


def exchange(
    client: httpx.Client, method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Any:  # noqa: ANN401 - JSON of any shape
    """Send `body` as JSON and return the reply's JSON.

    Raises UnreachableError if nobody answers, or refuses the key or the address; ReplyError if the reply is an error
    or no JSON.
    """
    try:
        response = client.request(method, url, json=body, headers=dict(headers or {}))
    except httpx.HTTPError as error:
        raise UnreachableError(f"{url} can't be reached: {str(error) or type(error).__name__}.") from error
    status = response.status_code
    if status in {401, 403}:
        raise UnreachableError(f"{url} refused access (status {status}): set {KEY_VARIABLE} to a key that it accepts.")
    if status in _BUSY or status == 404:
        hint = ": check the address" if status == 404 else ""
        raise UnreachableError(f"{url} answers with status {status}{hint}.")
    if status >= 400:
        raise ReplyError(f"{url} answers with status {status}: {_clip(response.text)}")
    try:
        return response.json()
    except ValueError as error:
        raise ReplyError(f"{url} answers with no JSON: {_clip(response.text)}") from error


def _clip(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:200]}…"
