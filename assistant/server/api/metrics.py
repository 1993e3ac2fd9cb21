"""Count and time requests by route and answers to all callers, as OpenMetrics at ``/metrics``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.server.auth.route_guard import require
from assistant.server.auth.scoped_access import Assistant
from assistant.types import Answer, AskOptions, Event, Finished
from assistant.types import Message as Said
from store.library import Library

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_OTHER = "other"


class Metrics:
    """The numbers of one server."""

    def __init__(self, library: Library) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "attest_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._request_seconds = self._histogram(
            "attest_http_request_duration_seconds", "Time until a response was sent whole.", ("route",)
        )
        self._answers = Counter(
            "attest_answers", "Questions, by what became of them.", ("outcome",), registry=self._registry
        )
        self._answer_seconds = self._histogram("attest_answer_duration_seconds", "Time until an answer was whole.")
        self._first_seconds = self._histogram("attest_answer_first_event_seconds", "Time until its quotes were there.")
        self._running = Gauge("attest_answers_running", "Questions that are being answered.", registry=self._registry)
        for name in ("documents", "passages"):
            gauge = Gauge(f"attest_library_{name}", f"The library's {name}.", registry=self._registry)
            gauge.set_function(partial(_counted, library, name))

    def _histogram(self, name: str, said: str, labels: Sequence[str] = ()) -> Histogram:
        return Histogram(name, said, labels, buckets=_SECONDS, registry=self._registry)

    def as_text(self) -> bytes:
        """Return all numbers as OpenMetrics."""
        text: bytes = generate_latest(self._registry)  # type: ignore[no-untyped-call]
        return text

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def counted(self, events: Iterator[Event]) -> Iterator[Event]:
        """Yield `events`, and count the outcome."""
        began, outcome, is_first = time.perf_counter(), "failed", True
        self._running.inc()
        try:
            for event in events:
                if is_first:
                    self._first_seconds.observe(time.perf_counter() - began)
                    is_first = False
                if isinstance(event, Finished):
                    outcome = "answered" if event.answer.answered else "not_answered"
                yield event
        except GeneratorExit:
            outcome = "stopped" if outcome == "failed" else outcome
            raise
        finally:
            self._running.dec()
            self._answers.labels(outcome).inc()
            if outcome in ("answered", "not_answered"):
                self._answer_seconds.observe(time.perf_counter() - began)
            if (close := getattr(events, "close", None)) is not None:
                close()


class MeasuredAssistant:
    """An assistant whose answers are counted."""

    def __init__(self, assistant: Assistant, metrics: Metrics) -> None:
        self._assistant = assistant
        self._metrics = metrics

    @property
    def library(self) -> Library:
        """See `Assistant.library`."""
        return self._assistant.library

    def ask(self, question: str, history: Sequence[Said] = (), options: AskOptions = AskOptions()) -> Iterator[Event]:
        """See `ScopedAssistant.ask`."""
        yield from self._metrics.counted(self._assistant.ask(question, history, options))

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """See `ScopedAssistant.prompt_of`."""
        return self._assistant.prompt_of(answer)


class MeasuredRequests:
    """Wraps the application, and counts its responses."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count the outcome."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._metrics.count_request(_method(scope), _route(scope), status, time.perf_counter() - began)


def metrics_router(metrics: Metrics) -> APIRouter:
    """Return the route ``/metrics``."""
    router = APIRouter(dependencies=[require("administer")], include_in_schema=False)

    @router.get("/metrics")
    def numbers() -> Response:
        return Response(metrics.as_text(), media_type=CONTENT_TYPE_LATEST)

    return router


def _counted(library: Library, name: str) -> float:
    return float(getattr(library.statistics(), name))


def _method(scope: Scope) -> str:
    """Return the method, or a placeholder: clients may invent any number of others."""
    method: str = scope["method"]
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else _OTHER


def _route(scope: Scope) -> str:
    """Return the pattern of the route, never the address itself, because clients can use any number of those."""
    pattern = getattr(scope.get("route"), "path", "")
    prefix = str(scope["path"]).split("/")[1] if pattern else ""
    if not pattern or pattern == "/{path:path}":
        return _OTHER
    return pattern if pattern.startswith(f"/{prefix}") else f"/{prefix}{pattern}"
