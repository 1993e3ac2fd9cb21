"""Respond to errors with one sentence in the language of the request, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.authentication import AuthenticationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Scope

from assistant.server.api.answer_runs import BusyError
from assistant.server.api.openai.errors import error_body
from assistant.server.auth.sign_in_routes import wanted_conversation
from assistant.server.dependencies import words_of_request
from assistant.server.error_messages import error_message, invalid_request, sentence_of, stated, status_of
from assistant.server.security import PASSWORD_PATH
from store.errors import AttestError, NotSignedInError


def unknown_visitor(connection: HTTPConnection, error: AuthenticationError) -> Response:
    """Answer a request whose visitor can't be looked up, for example while the database is down."""
    cause = error.__cause__
    told = cause if isinstance(cause, AttestError) else NotSignedInError()
    return JSONResponse(stated(told, words_of_request(connection)), status_of(told))


def refusal(scope: Scope, status: int, error: AttestError, headers: Mapping[str, str]) -> Response:
    """Return the refusal of a request before any route sees it: in OpenAI's form below ``/v1/``."""
    words = words_of_request(Request(scope))
    is_openai = scope["path"].startswith("/v1/")
    body = error_body(status, error_message(error, words)) if is_openai else stated(error, words)
    return JSONResponse(body, status, headers)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of `app` with a JSON object whose `message` is one sentence."""

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
        headers = {"retry-after": "1"} if isinstance(error, BusyError) else None
        return JSONResponse(stated(error, words_of_request(request)), status_of(error), headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return JSONResponse(stated(invalid_request(error), words_of_request(request)), 422)

    @app.exception_handler(HTTPException)
    async def plain(_: Request, error: HTTPException) -> Response:
        return JSONResponse({"message": f"{error.detail}."}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def reference(request: Request, error: Exception) -> Response:
        return JSONResponse({"message": sentence_of(error, words_of_request(request))}, 500)
