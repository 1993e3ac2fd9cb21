"""What an administrator can choose for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.answer.question import LONGEST_QUESTION
from assistant.types import Mode
from ingest.readers import BY_SUFFIX

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PageSettings:
    """Limits and offers of the page. All sizes are bytes unless said otherwise."""

    title: str = "Attest"
    max_question_characters: int = LONGEST_QUESTION
    """A longer question is refused with this number named."""
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
    uploads: bool = True
    """Whether documents can be added from the page."""
    max_upload_bytes: int = 50 * MEBIBYTE
    """Of one file."""
    max_upload_files: int = 200
    """In one go."""
    upload_suffixes: tuple[str, ...] = tuple(BY_SUFFIX)
    web_uploads: Literal["off", "public", "any"] = "off"
    """Whether documents may be fetched from web addresses: none, those of the public web, those inside this network too."""
    web_seconds: float = 60
    """For one of them."""
    max_request_bytes: int = 8 * MEBIBYTE
    """Of any request that is not an upload."""

    @property
    def mode(self) -> Mode:
        """How questions are answered that don't say."""
        return "written" if self.written_mode else "quotes"


DEFAULTS = PageSettings()
