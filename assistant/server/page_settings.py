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
"""Of any request that is not an upload."""


@dataclass(frozen=True, slots=True)
class PageSettings:
    """Limits and offers of a server."""

    answers_at_once: int = 20
    """Questions that are worked on at the same time; the others wait their turn."""
    requests_per_minute: int = 600
    """Of the API, for each token or person."""
    queue_size: int = 200
    """Questions that may wait; past it, one more is refused politely."""
    written_mode: bool = False
    """Whether a language model is there to write answers; else only quotes are offered."""
    translations: bool = False
    """Whether a language model is there to translate quotes; else that isn't offered."""
    max_upload_bytes: int = 50 * MEBIBYTE
    """Of one file."""
    web_uploads: Literal["off", "public", "any"] = "off"
    """Whether documents may be fetched from web addresses: none, those of the public web, those inside this network too."""
    web_seconds: float = 60
    """For one of them."""

    @property
    def mode(self) -> Mode:
        """How questions are answered that don't say."""
        return "written" if self.written_mode else "quotes"


DEFAULTS = PageSettings()
