"""The pipeline's own events as server-sent events: ``event: evidence_found`` and its values as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from assistant.types import Event


def named(event: Event) -> tuple[str, dict[str, Any]]:
    """Return an event's name, as ``text_added`` for `TextAdded`, and its values as JSON."""
    kind: Hashable = type(event)
    return _name(kind), _adapter(kind).dump_python(event, mode="json", by_alias=True)


def server_sent(name: str, values: dict[str, Any]) -> str:
    """Return an event as the stream carries it."""
    return f"event: {name}\ndata: {json.dumps(values, ensure_ascii=False)}\n\n"


@cache
def _name(kind: Hashable) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", getattr(kind, "__name__", "")).lower()


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
