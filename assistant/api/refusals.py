"""What is not there: methods that a route doesn't take (405, with those that it does), and other addresses (404)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from assistant.api.openai.errors import error_body
from assistant.server.permissions import require

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def refusal_router(described: dict[str, Any]) -> APIRouter:
    """Return routes for all that the description of the API doesn't name; the application takes them last.

    Without them the page, which has every address that is left, would answer.
    """
    router = APIRouter(dependencies=[require("ask")], include_in_schema=False)
    for path, operations in described["paths"].items():
        allowed = sorted(method.upper() for method in operations)
        others = [method for method in _METHODS if method not in allowed]
        router.add_api_route(path, _Refusal(allowed), methods=others)
    for prefix in ("/v1", "/api"):
        router.add_api_route(prefix + "/{path:path}", _not_found, methods=list(_METHODS))
    return router


class _Refusal:
    """Refuses other methods than `allowed`."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = ", ".join(allowed)

    async def __call__(self, request: Request) -> Response:
        message = f"{request.method} isn't possible here; these are: {self._allowed}."
        return _refused(request, 405, message, {"allow": self._allowed})


async def _not_found(request: Request) -> Response:
    return _refused(request, 404, f"There is no {request.url.path[:200]}; /api/docs shows what there is.", {})


def _refused(request: Request, status: int, message: str, headers: dict[str, str]) -> Response:
    is_openai = request.url.path.startswith("/v1/")
    return JSONResponse(error_body(status, message) if is_openai else {"message": message}, status, headers=headers)
