"""Format errors as OpenAI's API does: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from assistant.server.api.answer_runs import BusyError
from assistant.server.auth.route_guard import CheckedRoute
from assistant.server.dependencies import words_of_request
from assistant.server.error_messages import error_message, invalid_request, sentence_of, status_of
from assistant.server.strings import Strings
from store.errors import AttestError, NotFoundError, RequestError

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

    def __init__(self, parameter: str, error: RequestError) -> None:
        """Report `error` about `parameter`."""
        super().__init__(str(error))
        self.code, self.values = error.code, error.values
        self.parameter = parameter


class ModelNotFoundError(NotFoundError):
    """There is no model of that name."""

    parameter = "model"
    openai_code = "model_not_found"


def unknown_model(name: str) -> ModelNotFoundError:
    """Return the error for an unknown model name."""
    return ModelNotFoundError(
        "There is no model named {name}; GET /v1/models lists those that there are.",
        code="no_model",
        name=f"{name[:60]!r}",
    )


def error_body(
    status: int, message: str, parameter: str | None = None, code: str | None = None
) -> dict[str, dict[str, str | None]]:
    """Return the body of an error."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": parameter, "code": code or _CODES.get(status)}}


def described(error: Exception, words: Strings) -> tuple[int, dict[str, Any]]:
    """Return status and body for an error, in the language of `words`.

    An unexpected error is logged, and its text isn't sent.
    """
    if isinstance(error, RequestValidationError):
        place = ".".join(str(part) for part in error.errors()[0]["loc"] if part != "body")
        invalid = invalid_request(error)
        return 400, error_body(400, error_message(invalid, words), place or None, invalid.code)
    if isinstance(error, HTTPException):
        return error.status_code, error_body(error.status_code, str(error.detail))
    if not isinstance(error, AttestError):
        return 500, error_body(500, sentence_of(error, words))
    status = status_of(error)
    code = getattr(error, "openai_code", None) or (None if status in (401, 403) else error.code)
    return status, error_body(status, error_message(error, words), getattr(error, "parameter", None), code)


def respond(error: Exception, words: Strings) -> JSONResponse:
    """Return the response for an error, in the language of `words`."""
    status, body = described(error, words)
    headers = {"retry-after": "1"} if isinstance(error, BusyError) else {}
    return JSONResponse(body, status, headers | ({"www-authenticate": "Bearer"} if status == 401 else {}))


class OpenAIRoute(CheckedRoute):
    """A route whose errors are OpenAI's."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with its errors turned into responses."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                return respond(error, words_of_request(request))

        return handler
