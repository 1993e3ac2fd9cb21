"""Run the tests of `ingest` without deadlines, because a shared machine keeps none."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
