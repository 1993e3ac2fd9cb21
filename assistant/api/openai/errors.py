"""Errors as OpenAI's API words them: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from assistant.api.answer_runs import BusyError
from assistant.server.error_responses import status_of
from store.errors import AttestError, NotFoundError, RequestError

log = logging.getLogger(__name__)

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}
_CODES = {401: "invalid_api_key", 403: "insufficient_permissions", 404: "not_found", 429: "rate_limit_exceeded"}


class ParameterError(RequestError):
    """A parameter of a request can't be used."""

    def __init__(self, message: str, parameter: str, code: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.openai_code = code


class ModelNotFoundError(NotFoundError):
    """There is no model of that name."""

    parameter = "model"
    openai_code = "model_not_found"


def error_body(
    status: int, message: str, parameter: str | None = None, code: str | None = None
) -> dict[str, dict[str, str | None]]:
    """Return the body of an error."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": parameter, "code": code or _CODES.get(status)}}


def described(error: Exception) -> tuple[int, dict[str, Any]]:
    """Return status and body for an error; one that nobody foresaw is logged, and its text stays here."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        message = str(first["msg"]).removeprefix("Value error, ")
        return 400, error_body(400, f"{place or 'The body'}: {message}.", place or None)
    if isinstance(error, HTTPException):
        return error.status_code, error_body(error.status_code, str(error.detail))
    if not isinstance(error, AttestError):
        reference = secrets.token_hex(4)
        log.error("A request failed, reference %s", reference, exc_info=error)
        return 500, error_body(500, f"Something went wrong that nobody foresaw; the log tells more at {reference}.")
    status = status_of(error)
    named = getattr(error, "parameter", None), getattr(error, "openai_code", None)
    return status, error_body(status, str(error), *named)


def respond(error: Exception) -> JSONResponse:
    """Return the response for an error."""
    status, body = described(error)
    headers = {"retry-after": "1"} if isinstance(error, BusyError) else {}
    return JSONResponse(body, status, headers | ({"www-authenticate": "Bearer"} if status == 401 else {}))


class OpenAIRoute(APIRoute):
    """A route whose errors are OpenAI's."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with its errors turned into responses."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                return respond(error)

        return handler
