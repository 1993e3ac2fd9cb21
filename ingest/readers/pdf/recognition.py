"""Text of scanned pages, recognized by Tesseract where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

from ingest.readers.pdf.sandbox import page_picture

MAX_RECOGNIZED_PAGES = 500
"""Of one file; the others are told as pages without text."""

_SECONDS = 300.0
_WANTED = ("tha", "vie", "eng")


def recognized_pages(data: bytes, numbers: Sequence[int]) -> dict[int, str]:
    """Return by number the text of those pages of a PDF, counted from 1, on which Tesseract finds any."""
    if not numbers or not languages():
        return {}
    found = {}
    for number in numbers[:MAX_RECOGNIZED_PAGES]:
        picture = page_picture(data, number)
        if picture is not None and (text := _recognized(picture)):
            found[number] = text
    return found


@cache
def languages() -> tuple[str, ...]:
    """Return which of the languages that are wanted Tesseract has here; none where it is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        return ()
    try:
        listed = subprocess.run(  # noqa: S603 - the program that was found
            [program, "--list-langs"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    there = set(listed.stdout.split())
    return tuple(language for language in _WANTED if language in there)


def _recognized(picture: bytes) -> str:
    program = shutil.which("tesseract")
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the program that was found
            [program, "stdin", "stdout", "-l", "+".join(languages())],
            input=picture,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace").replace("\f", "").strip() if done.returncode == 0 else ""
