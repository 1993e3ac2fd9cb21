"""Describe errors of the native routes: a JSON object whose `message` is one sentence."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Problem(BaseModel):
    """What went wrong, and what to do."""

    message: str
    """One sentence, in the language that `accept-language` asks for if there is one."""
    code: str | None = None
    """The problem's code, for programs; null if only the sentence says it."""
    type: str | None = None
    """The error's class, such as `NotFoundError`."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of a route's errors: these, and those of every route."""
    said = {
        400: "The request can't be done as it is.",
        401: "No token, or one that isn't valid.",
        403: "The right of the token, or of the person, doesn't reach so far.",
        404: "There is no such thing, or it isn't the caller's.",
        413: "The request is too large.",
        422: "The request isn't as it is described here.",
        429: "Too many requests; `retry-after` says when to come again.",
        503: "The library or a model is out of reach, or too many questions wait.",
    }
    return {
        status: {"model": Problem, "description": said[status]} for status in (400, 401, 403, 422, 429, 503, *statuses)
    }
