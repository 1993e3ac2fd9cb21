"""Errors of the native routes: a JSON object whose `message` is one sentence."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from assistant.server.api.answer_runs import BusyError
from assistant.server.auth.permissions import check_declared
from assistant.server.dependencies import words_of_request
from assistant.server.error_messages import invalid_request, stated


class Problem(BaseModel):
    """What went wrong, and what to do."""

    message: str
    """One sentence, in the language that `accept-language` asks for where there is one."""
    code: str | None = None
    """What went wrong, for programs; null for what only the sentence tells."""
    type: str | None = None
    """Its kind, such as `NotFoundError`."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how a route's errors are described: these, and those that every route has."""
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


class NativeRoute(APIRoute):
    """A route that names what is wrong with a request in one sentence, and bids programs wait where it is busy."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with those errors turned into responses; the application turns the others."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            await check_declared(request)
            try:
                return await handle(request)
            except RequestValidationError as error:
                return JSONResponse(stated(invalid_request(error), words_of_request(request)), 422)
            except HTTPException as error:
                return JSONResponse({"message": f"{error.detail}."}, error.status_code)
            except BusyError as error:
                return JSONResponse(stated(error, words_of_request(request)), 503, headers={"retry-after": "1"})

        return handler
