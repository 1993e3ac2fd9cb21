"""Serve the OpenAPI description at ``/api/openapi.json``, and a page to try the API at ``/api/docs``: no other host."""

from __future__ import annotations

import html
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from assistant.server.auth.route_guard import require

_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body>
</html>
"""
_START = """SwaggerUIBundle({url: new URL('../openapi.json', document.currentScript.src).href, dom_id: '#swagger-ui',
  deepLinking: true, validatorUrl: null, presets: [SwaggerUIBundle.presets.apis], layout: 'BaseLayout'});
"""
_SUMMARY = """Ask questions of documents; each statement comes with the words that prove it.

Routes under `/v1` speak OpenAI's API: any client of it works, and each reply carries Attest's whole answer object
under `attest`. Routes under `/api` are Attest's own. All offsets count Unicode code points, half-open.

Programs send `Authorization: Bearer attest_...`; `attest tokens add NAME` makes a token. A server without accounts,
which only its own machine can reach, asks for none."""


def description_router(described: dict[str, Any]) -> APIRouter:
    """Return the routes about the API itself."""
    router = APIRouter(dependencies=[require("ask")], include_in_schema=False)

    @router.get("/openapi.json")
    async def openapi() -> JSONResponse:
        return JSONResponse(described)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        return HTMLResponse(_PAGE.format(title=html.escape("Attest: the API")))

    @router.get("/docs/{name}")
    async def asset(name: str) -> Any:  # noqa: ANN401 - two kinds of responses
        if name == "start.js":
            return HTMLResponse(_START, media_type="text/javascript")
        if name not in _ASSETS:
            raise HTTPException(404)
        return FileResponse(Path(str(files("fastapi_offline"))) / "static" / name, media_type=_ASSETS[name])

    return router


def description(api: APIRouter) -> dict[str, Any]:
    """Return the OpenAPI description of the routes of `api`."""
    app = FastAPI(title="Attest", version=version("attest"), summary="Verified answers", description=_SUMMARY)
    app.include_router(api)
    made: dict[str, Any] = app.openapi()
    made.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in made["paths"].items():
        for operation in operations.values():
            if path.startswith("/v1/"):  # invalid requests are 400 there
                operation["responses"].pop("422", None)
    made["security"] = [{"token": []}, {}]
    return made
