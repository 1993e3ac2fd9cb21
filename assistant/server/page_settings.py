"""Hold the options of one server, and the limits that are the same for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.types import Mode
from ingest.readers import BY_SUFFIX

MEBIBYTE = 1024 * 1024
TITLE = "Attest"
UPLOAD_SUFFIXES = tuple(BY_SUFFIX)
MOST_UPLOADED_AT_ONCE = 200
"""Files."""
MOST_REQUEST_BYTES = 8 * MEBIBYTE
"""For any request that is not an upload."""


@dataclass(frozen=True, slots=True)
class PageSettings:
    """Limits and offers of a server."""

    answers_at_once: int = 20
    """Questions answered at the same time; the others wait."""
    requests_per_minute: int = 600
    """Of the API, per token or person."""
    queue_size: int = 200
    """Questions that may wait; further ones are refused politely."""
    written_mode: bool = False
    """Whether there is a language model to write answers; otherwise only quotes are offered."""
    translations: bool = False
    """Whether there is a language model to translate quotes; otherwise that isn't offered."""
    max_upload_bytes: int = 50 * MEBIBYTE
    """Per file."""
    web_uploads: Literal["off", "public", "any"] = "off"
    """Which web addresses documents may be fetched from: none, the public web, or also inside this network."""
    web_seconds: float = 60
    """Per document from the web."""

    @property
    def mode(self) -> Mode:
        """The mode for questions that don't set one."""
        return "written" if self.written_mode else "quotes"


DEFAULTS = PageSettings()
