"""OpenTelemetry traces of answers, where an endpoint for them is set in OpenTelemetry's own variables.

LlamaIndex's instrumentation tells of spans: ours (`assistant.answer.instrumentation`) and those of its own classes,
language models among them. Here they become OpenTelemetry's, with names, times and numbers,
and without prompts, questions or quotes.
"""

# ruff: noqa: ANN401 - LlamaIndex's handlers take anything

from __future__ import annotations

import os
import re
import threading
from inspect import BoundArguments
from typing import TYPE_CHECKING, Any

from assistant.answer.instrumentation import summary
from assistant.types import Answer
from store.catalog.schema import program_version
from store.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_UUID = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
MOST_OPEN = 10_000
"""Spans that were begun and never ended, by some error of a library: no more are kept."""


def trace_if_wanted() -> TracerProvider | None:
    """Begin to send traces if the environment says where to. Raises SettingsError for a protocol that isn't spoken."""
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
    """A handler for LlamaIndex's dispatcher that makes each span one of OpenTelemetry's."""
    from llama_index_instrumentation.span import BaseSpan
    from llama_index_instrumentation.span_handlers import BaseSpanHandler
    from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

    tracer = provider.get_tracer("attest", program_version())
    spans: dict[str, Span] = {}
    lock = threading.Lock()

    class Handler(BaseSpanHandler[BaseSpan]):
        """Keeps no span once it has ended."""

        def new_span(
            self,
            id_: str,
            bound_args: BoundArguments,
            instance: Any | None = None,
            parent_span_id: str | None = None,
            tags: dict[str, Any] | None = None,
            **kwargs: Any,
        ) -> BaseSpan | None:
            """Begin the span below its parent. What it was called with is not looked at."""
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
            """End it, with what is known of an answer without its words."""
            return self._ended(id_, attributes(result) if isinstance(result, Answer) else {})

        def prepare_to_drop_span(
            self,
            id_: str,
            bound_args: BoundArguments,
            instance: Any | None = None,
            err: BaseException | None = None,
            **kwargs: Any,
        ) -> BaseSpan | None:
            """End it as failed, with the error's kind: its message may quote a document."""
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


def attributes(answer: Answer) -> dict[str, Any]:
    """Of an answer, as OpenTelemetry takes them: no None, prefixed by ``attest.``."""
    values = {f"attest.{name}": value for name, value in summary(answer).items() if value is not None}
    return values | {f"attest.milliseconds.{name}": spent for name, spent in answer.timings_ms.items()}
