"""Send the pipeline's events as server-sent events: ``event: evidence_found`` and its values as JSON."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

from pydantic import TypeAdapter

from assistant.types import Event

_NAMED: dict[type, tuple[str, TypeAdapter[Any]]] = {
    kind: (re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(), TypeAdapter(kind)) for kind in get_args(Event)
}
"""An event's name, such as ``text_added`` for `TextAdded`, and what turns it into JSON values."""


def named(event: Event) -> tuple[str, dict[str, Any]]:
    """Return an event's name and its values as JSON."""
    name, adapter = _NAMED[type(event)]
    return name, adapter.dump_python(event, mode="json", by_alias=True)


def event_of(name: str, values: dict[str, Any]) -> Event | None:
    """Return the event from the name and values that `named` made; None if it is no event of the pipeline."""
    found = next((adapter for each, adapter in _NAMED.values() if each == name), None)
    event: Event | None = None if found is None else found.validate_python(values)
    return event


def server_sent(name: str, values: dict[str, Any]) -> str:
    """Return an event in the format of the stream."""
    return f"event: {name}\ndata: {json.dumps(values, ensure_ascii=False)}\n\n"
