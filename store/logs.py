"""What the program tells of itself: lines of text or of JSON on standard error, without anybody's words.

Neither questions nor documents nor the messages of unforeseen errors, which may quote them, are logged. Secrets of the
environment are blotted out wherever they turn up.

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
"""Loggers that the setting `log_level` is for. Others' debugging tells whole prompts, so they stay at warnings."""
_FACTS = "facts"
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|_HEADERS$", re.IGNORECASE)
_SHORTEST_SECRET = 8
"""Characters. A shorter value would blot out ordinary words."""
BLOT = "[secret]"

Excinfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def facts(**values: object) -> dict[str, Any]:
    """What an event is about, for `extra`: numbers and names, never anybody's words."""
    return {_FACTS: values}


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logging to `stream`, or standard error, as the settings say. Calling it again replaces what was set."""
    handler = logging.StreamHandler(stream or sys.stderr)
    make = JsonFormatter if settings.log_format == "json" else TextFormatter
    handler.setFormatter(make())
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each.formatter, TextFormatter | JsonFormatter)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level.upper())


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """`text` with the values of all variables blotted out whose names say that they are secret."""
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
    """A line for people: the message, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it where an unforeseen error came from."""
        line = super().format(record)
        about = ", ".join(f"{name}={value}" for name, value in getattr(record, _FACTS, {}).items())
        return without_secrets(f"{line} ({about})" if about else line)

    def formatException(self, ei: Excinfo) -> str:  # noqa: N802 - logging's name
        """Where the error came from; never its words."""
        return "\n".join(_origin(ei))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """The object: `time`, `level`, `logger`, `event`, what it is about, and where an error came from."""
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        said |= getattr(record, _FACTS, {})
        if record.exc_info and record.exc_info[0] is not None:
            said["error"] = _origin(record.exc_info)
        return without_secrets(json.dumps(said, ensure_ascii=False, default=str))


def _origin(error: Excinfo) -> list[str]:
    """The error's kind and the places it passed, without its message: that may quote a document."""
    kind, _, trace = error
    places = [f"{place.filename}:{place.lineno} in {place.name}" for place in traceback.extract_tb(trace)]
    return [kind.__name__ if kind else "error", *reversed(places)]
