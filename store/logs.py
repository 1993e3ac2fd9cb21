"""Log lines of text or of JSON to standard error, without text of users or documents.

Questions, documents and the messages of unexpected errors, which may quote them, are never logged. Secrets from the
environment are replaced wherever they occur.

    log.info("question answered", extra=facts(language="th", quotes=3))
    {"time": "2026-11-22T08:00:00.000+00:00", "level": "info", "event": "question answered", "language": "th", ...}
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from store.settings import Settings

OURS = ("assistant", "evals", "ingest", "prompts", "store")
"""Loggers that `log_level` applies to. Others log whole prompts when debugging, so they stay at warnings."""
_FACTS = "facts"
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|_HEADERS$", re.IGNORECASE)
_SHORTEST_SECRET = 8
"""Characters. A shorter value could be an ordinary word."""
BLOT = "[secret]"

Excinfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def facts(**values: object) -> dict[str, Any]:
    """Return the facts of an event, for `extra`: numbers and names, never anybody's words."""
    return {_FACTS: values}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logging to `stream` or standard error, according to the settings. A second call replaces the first."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each.formatter, TextFormatter | JsonFormatter)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level.upper())


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return `text` without the values of environment variables whose names mark them as secret."""
    found = os.environ if environment is None else environment
    secrets = {
        value
        for name, value in found.items()
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET and not value.startswith(("/", "."))
    }
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, BLOT)
    return text


class TextFormatter(logging.Formatter):
    """A line for people: the message, and its facts."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and below it the source of an unexpected error."""
        line = super().format(record)
        about = ", ".join(f"{name}={value}" for name, value in getattr(record, _FACTS, {}).items())
        return without_secrets(f"{line} ({about})" if about else line)

    def formatException(self, ei: Excinfo) -> str:  # noqa: N802 - logging's name
        """Return the source of the error, without its message."""
        return "\n".join(_origin(ei))


class JsonFormatter(logging.Formatter):
    """One JSON object per line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object: `time`, `level`, `logger`, `event`, its facts, and the source of an error."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        entry |= getattr(record, _FACTS, {})
        if record.exc_info and record.exc_info[0] is not None:
            entry["error"] = _origin(record.exc_info)
        return without_secrets(json.dumps(entry, ensure_ascii=False, default=str))


def _origin(error: Excinfo) -> list[str]:
    """Return the error's type and its traceback, without its message, which may quote a document."""
    kind, _, trace = error
    places = [f"{place.filename}:{place.lineno} in {place.name}" for place in traceback.extract_tb(trace)]
    return [kind.__name__ if kind else "error", *reversed(places)]
