"""Define what a check of a library returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fix = Literal["rebuild", "refill", "embed", "settle", "reindex", "leftovers", "modes"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a library."""

    check: str
    message: str
    """A whole sentence that says what is wrong and what to do."""
    fix: Fix | None = None
    """What `store.doctor.checks.repair` would do about it; None if only the user can."""
