"""Spans for LlamaIndex's instrumentation: what an answer is doing, for whoever listens to its dispatcher."""

from __future__ import annotations

import inspect
import sys
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llama_index_instrumentation.dispatcher import Dispatcher


class Span:
    """A span for LlamaIndex's dispatcher; nothing at all while LlamaIndex is not loaded, for then nobody listens."""

    def __init__(self, name: str, parent: str | None, instance: object = None) -> None:
        self.id = f"{name}-{uuid.uuid4()}"
        self._dispatcher = _dispatcher()
        self._ended = False
        if self._dispatcher is not None:
            self._dispatcher.span_enter(id_=self.id, bound_args=_no_arguments(), instance=instance, parent_id=parent)

    @contextmanager
    def is_current(self) -> Generator[None]:
        """What LlamaIndex's own classes do meanwhile belongs to this span. Never held over a `yield` to a stranger."""
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
        """A span below the one that is current here, if any."""
        if "llama_index_instrumentation" not in sys.modules:
            return cls(name, None)
        from llama_index_instrumentation.span import active_span_id

        return cls(name, active_span_id.get(), instance)

    def end(self, result: object = None) -> None:
        """It is over; nothing happens if it was already."""
        if self._dispatcher is not None and not self._ended:
            self._ended = True
            self._dispatcher.span_exit(id_=self.id, bound_args=_no_arguments(), result=result)

    def fail(self, error: BaseException) -> None:
        """It broke off by this error."""
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
