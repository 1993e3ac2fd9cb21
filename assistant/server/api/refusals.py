"""What is not there: methods that a route doesn't take (405, with those that it does), and other addresses (404)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from assistant.server.api.openai.errors import error_body
from assistant.server.auth.permissions import RequireRight
from assistant.server.dependencies import words_of_request
from assistant.server.error_messages import error_message, stated
from store.errors import NotFoundError, RequestError


def refusal_routes(described: dict[str, Any]) -> Iterator[Route]:
    """Yield routes for all that the description of the API doesn't name; the application takes them last.

    Without them the page, which has every address that is left, would answer.
    """
    for path, operations in described["paths"].items():
        allowed = ", ".join(sorted(method.upper() for method in operations))
        yield Route(path, RequireRight(_Refusal(allowed), "ask"), include_in_schema=False)
    for prefix in ("/v1", "/api"):
        yield Route(prefix + "/{path:path}", RequireRight(_Refusal(None), "ask"), include_in_schema=False)


def _nothing_at(path: str) -> RequestError:
    return NotFoundError("There is no {path}; /api/docs shows what there is.", code="no_route", path=path)


def _not_possible(method: str, allowed: str) -> RequestError:
    return RequestError(
        "{method} isn't possible here; these are: {allowed}.", code="no_method", method=method, allowed=allowed
    )


class _Refusal:
    """Refuses every method but those in `allowed`; None: there is nothing at this address."""

    def __init__(self, allowed: str | None) -> None:
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse one request."""
        if self._allowed is None:
            status, error = 404, _nothing_at(scope["path"][:200])
        else:
            status, error = 405, _not_possible(scope["method"], self._allowed)
        words = words_of_request(Request(scope))
        is_openai = scope["path"].startswith("/v1/")
        body = error_body(status, error_message(error, words)) if is_openai else stated(error, words)
        headers = {} if self._allowed is None else {"allow": self._allowed}
        await JSONResponse(body, status, headers=headers)(scope, receive, send)
