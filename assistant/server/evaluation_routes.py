"""The evaluation view's addresses: suites on offer, runs, their reports, and comparisons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from assistant.server.dependencies import Words
from assistant.server.error_messages import error_message
from assistant.server.evaluation_panel import FEEDBACK, Bench
from assistant.server.permissions import require
from store.errors import AttestError


def bench_router(bench: Bench, feedback_suite: Callable[[], str]) -> APIRouter:
    """Routes under ``/evaluation``; `feedback_suite` makes the suite of what readers said."""
    router = APIRouter(prefix="/evaluation", dependencies=[require("administer")])

    @router.get("/suites")
    def suites() -> list[str]:
        return [*bench.suites(), FEEDBACK]

    @router.get("/runs")
    def runs(words: Words) -> list[dict[str, Any]]:
        return [
            asdict(run) | {"error": error_message(AttestError(run.error), words) if run.error else ""}
            for run in bench.runs()
        ]

    @router.post("/runs")
    def start(suite: Annotated[str, Body(embed=True)]) -> dict[str, Any]:
        return asdict(bench.start(suite, feedback_suite() if suite == FEEDBACK else None))

    @router.post("/stop", status_code=204)
    def stop() -> None:
        bench.stop()

    @router.get("/runs/{name}/report")
    def report(name: str) -> Response:
        return _page(bench.report(name))

    @router.get("/compare")
    def compare(before: str, after: str) -> Response:
        return _page(bench.comparison(before, after))

    return router


def _page(content: str) -> Response:
    """A self-contained page without scripts: the guard's policy lets none run."""
    return Response(content, media_type="text/html; charset=utf-8")
