"""What a request gets when something goes wrong: one sentence in its language, never a traceback."""

from __future__ import annotations

import logging
import secrets
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.authentication import AuthenticationError
from starlette.requests import HTTPConnection

from assistant.server.auth.sign_in_routes import wanted_conversation
from assistant.server.dependencies import words_of_request
from assistant.server.error_messages import stated
from assistant.server.security import PASSWORD_PATH
from store.errors import AttestError, NotAllowedError, NotFoundError, NotSignedInError, RequestError

log = logging.getLogger(__name__)

_STATUSES: tuple[tuple[type[AttestError], int], ...] = (
    (NotSignedInError, 401),
    (NotAllowedError, 403),
    (NotFoundError, 404),
    (RequestError, 400),
    (AttestError, 503),
)


def status_of(error: AttestError) -> int:
    """Return the HTTP status of an error."""
    return next(status for kind, status in _STATUSES if isinstance(error, kind))


def unknown_visitor(connection: HTTPConnection, error: AuthenticationError) -> Response:
    """Answer a request whose visitor can't be looked up, such as while the database is away."""
    cause = error.__cause__
    told = cause if isinstance(cause, AttestError) else NotSignedInError()
    return JSONResponse(stated(told, words_of_request(connection)), status_of(told))


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of `app` with a JSON object whose `message` is the sentence."""

    @app.exception_handler(NotSignedInError)
    async def sign_in(request: Request, error: NotSignedInError) -> Response:
        path = request.scope["path"]
        if path == "/" and request.method in ("GET", "HEAD"):
            wanted = wanted_conversation(request)
            return RedirectResponse("attest/sign-in" + (f"?{urlencode({'c': wanted})}" if wanted else ""), 303)
        if path == PASSWORD_PATH:
            return RedirectResponse("sign-in", 303)
        return await sentence(request, error)

    @app.exception_handler(AttestError)
    async def sentence(request: Request, error: AttestError) -> Response:
        return JSONResponse(stated(error, words_of_request(request)), status_of(error))

    @app.exception_handler(Exception)
    async def reference(request: Request, error: Exception) -> Response:
        number = secrets.token_hex(4)
        log.error("A request failed, reference %s", number, exc_info=error)
        return JSONResponse({"message": words_of_request(request)("problem.unexpected", reference=number)}, 500)
