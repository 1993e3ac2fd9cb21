"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# A shell that starts a command in the background has it ignore Ctrl-C, and tests that press it would press in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real documents and data, which a stranger's clone doesn't have."""
    folder = Path(os.environ.get("ATTEST_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"The shared data is not at {folder}; set ATTEST_SHARED to run this test.")
    return folder
