"""Trace answers with LlamaIndex's instrumentation, and send the traces to where OpenTelemetry's own variables say.

A `Span` is one of ours in LlamaIndex's dispatcher, next to those of its own classes, such as language models. The
handler turns each into one of OpenTelemetry's, with names, times and numbers, and without prompts, questions or quotes.
"""

# ruff: noqa: ANN401 - LlamaIndex's handlers take anything

from __future__ import annotations

import inspect
import os
import re
import sys
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from inspect import BoundArguments
from typing import TYPE_CHECKING, Any

from assistant.types import Answer
from store.errors import SettingsError
from store.version import program_version

if TYPE_CHECKING:
    from llama_index_instrumentation.dispatcher import Dispatcher
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_UUID = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
MOST_OPEN = 10_000
"""The most unfinished spans to keep, in case a library's error leaves spans unfinished."""


class Span:
    """A span for LlamaIndex's dispatcher; it does nothing while LlamaIndex isn't loaded, because nobody listens then."""

    def __init__(self, name: str, parent: str | None, instance: object = None) -> None:
        self.id = f"{name}-{uuid.uuid4()}"
        self._dispatcher = _dispatcher()
        self._ended = False
        if self._dispatcher is not None:
            self._dispatcher.span_enter(id_=self.id, bound_args=_no_arguments(), instance=instance, parent_id=parent)

    @contextmanager
    def is_current(self) -> Generator[None]:
        """Put the spans of LlamaIndex's own classes below this one meanwhile. Never hold it over a `yield` to a caller."""
        if self._dispatcher is None:
            yield
            return
        from llama_index_instrumentation.span import active_span_id

        token = active_span_id.set(self.id)
        try:
            yield
        finally:
            active_span_id.reset(token)

    @classmethod
    def below_current(cls, name: str, instance: object = None) -> Span:
        """Return a span below the current one, if any."""
        if "llama_index_instrumentation" not in sys.modules:
            return cls(name, None)
        from llama_index_instrumentation.span import active_span_id

        return cls(name, active_span_id.get(), instance)

    def end(self, result: object = None) -> None:
        """End the span; do nothing if it has ended."""
        if self._dispatcher is not None and not self._ended:
            self._ended = True
            self._dispatcher.span_exit(id_=self.id, bound_args=_no_arguments(), result=result)

    def fail(self, error: BaseException) -> None:
        """End the span as aborted by this error."""
        if self._dispatcher is not None and not self._ended:
            self._ended = True
            self._dispatcher.span_drop(id_=self.id, bound_args=_no_arguments(), err=error)


def _dispatcher() -> Dispatcher | None:
    if "llama_index_instrumentation" not in sys.modules:
        return None
    from llama_index_instrumentation import get_dispatcher

    return get_dispatcher("attest")


def _no_arguments() -> inspect.BoundArguments:
    return inspect.signature(lambda: None).bind()


def trace_if_wanted() -> TracerProvider | None:
    """Begin to send traces if the environment says where. Raises SettingsError for an unsupported protocol."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or not any(map(os.environ.get, ENDPOINTS)):
        return None
    protocol = next(filter(None, map(os.environ.get, PROTOCOLS)), "http/protobuf")
    if protocol != "http/protobuf":
        raise SettingsError(f"Traces are sent by http/protobuf, not by {protocol}: set {PROTOCOLS[1]} to that.")
    from llama_index_instrumentation import get_dispatcher
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    about = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or "attest", "service.version": program_version()}
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    get_dispatcher().add_span_handler(span_handler(provider))
    return provider


def span_handler(provider: TracerProvider) -> Any:
    """Return a handler for LlamaIndex's dispatcher that makes each span one of OpenTelemetry's."""
    from llama_index_instrumentation.span import BaseSpan
    from llama_index_instrumentation.span_handlers import BaseSpanHandler
    from opentelemetry.trace import Span as OpenTelemetrySpan
    from opentelemetry.trace import Status, StatusCode, set_span_in_context

    tracer = provider.get_tracer("attest", program_version())
    spans: dict[str, OpenTelemetrySpan] = {}
    lock = threading.Lock()

    class Handler(BaseSpanHandler[BaseSpan]):
        """Keeps no span after its end."""

        def new_span(
            self,
            id_: str,
            bound_args: BoundArguments,
            instance: Any | None = None,
            parent_span_id: str | None = None,
            tags: dict[str, Any] | None = None,
            **kwargs: Any,
        ) -> BaseSpan | None:
            """Begin the span below its parent, without looking at the call's arguments."""
            with lock:
                if len(spans) >= MOST_OPEN:
                    return None
                parent = spans.get(parent_span_id or "")
                context = set_span_in_context(parent) if parent is not None else None
                spans[id_] = tracer.start_span(_UUID.sub("", id_), context)
                model = getattr(instance, "model", None)
                if isinstance(model, str):
                    spans[id_].set_attribute("gen_ai.request.model", model.rpartition("/")[2])
            return BaseSpan(id_=id_, parent_id=parent_span_id)

        def prepare_to_exit_span(
            self,
            id_: str,
            bound_args: BoundArguments,
            instance: Any | None = None,
            result: Any | None = None,
            **kwargs: Any,
        ) -> BaseSpan | None:
            """End it, with facts about an answer but not its words."""
            return self._ended(id_, attributes(result) if isinstance(result, Answer) else {})

        def prepare_to_drop_span(
            self,
            id_: str,
            bound_args: BoundArguments,
            instance: Any | None = None,
            err: BaseException | None = None,
            **kwargs: Any,
        ) -> BaseSpan | None:
            """End it as failed, with the error's kind only: its message may quote a document."""
            return self._ended(id_, {"error.type": type(err).__name__}, Status(StatusCode.ERROR))

        def _ended(self, id_: str, values: dict[str, Any], status: Status | None = None) -> BaseSpan | None:
            with lock:
                span = spans.pop(id_, None)
            if span is not None:
                span.set_attributes(values)
                if status is not None:
                    span.set_status(status)
                span.end()
            return self.open_spans.get(id_)

    return Handler()


def summary(answer: Answer) -> dict[str, Any]:
    """Return facts about an answer, without any of its words."""
    return {
        "language": answer.language,
        "mode": answer.mode,
        "model": answer.model,
        "answered": answer.answered,
        "abstain_reason": answer.abstain_reason,
        "confidence": round(answer.confidence, 3),
        "quotes": len(answer.evidence),
        "claims": len(answer.claims),
        "unsupported": sum(claim.support == "unsupported" for claim in answer.claims),
        "notices": [notice.code for notice in answer.notices],
    }


def attributes(answer: Answer) -> dict[str, Any]:
    """Return facts about an answer in OpenTelemetry's form: no None, names that begin with ``attest.``."""
    values = {f"attest.{name}": value for name, value in summary(answer).items() if value is not None}
    return values | {f"attest.milliseconds.{name}": spent for name, spent in answer.timings_ms.items()}
