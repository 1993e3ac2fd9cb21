"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A shell that starts a command in the background has it ignore Ctrl-C, and tests that press it would press in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real documents and data, which a stranger's clone doesn't have."""
    folder = Path(os.environ.get("ATTEST_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"The shared data is not at {folder}; set ATTEST_SHARED to run this test.")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Playwright's own Chromium, else Debian's. Without any, tests fail in CI and are skipped elsewhere."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        found = own if own.exists() else next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
        if found is None:
            message = "No Chromium: run `playwright install chromium`, or install your system's `chromium`."
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        launched = playwright.chromium.launch(executable_path=str(found), args=CHROMIUM_FLAGS)
        yield launched
        launched.close()
