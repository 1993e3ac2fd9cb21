"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from assistant.build import answer_other_processes
from store.processors import processors
from tests.both_catalogs import Databases, parametrize
from tests.browser import NAMES
from tests.chromium import LastingBrowser
from tests.postgresql import MissingServerError, PostgresServer

# A shell that starts a command in the background has it ignore Ctrl-C, and tests that press it would press in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test may depend on how fast or how busy a machine is.
settings.register_profile("attest", deadline=None)
settings.load_profile("attest")


answer_other_processes()  # as the program does where it starts

ROOT = Path(__file__).resolve().parent.parent
MOST_WORKERS = 4
"""Each loads models of its own, which take up to three gigabytes."""


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `pytest -n auto` shares the tests out to; 0 to run them in this one."""
    return min(processors(), MOST_WORKERS) if processors() > 1 else 0


def pytest_xdist_setupnodes() -> None:
    """Let no model take more than one processor: workers share them. Libraries read it when they are loaded."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real documents and data, which a stranger's clone doesn't have."""
    folder = Path(os.environ.get("ATTEST_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"The shared data is not at {folder}; set ATTEST_SHARED to run this test.")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[LastingBrowser]:
    """Playwright's own Chromium, else Debian's. Without any, tests fail in CI and are skipped elsewhere."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        found = own if own.exists() else next(filter(None, map(shutil.which, NAMES)), None)
        if found is None:
            message = "No Chromium: run `playwright install chromium`, or install your system's `chromium`."
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        lasting = LastingBrowser(playwright.chromium, Path(found))
        yield lasting
        lasting.close()


@pytest.fixture(scope="session")
def new_sample_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Returns the folder of a new library with the shipped samples; the real model reads them once for all of them."""
    from ingest.pipeline import ingest_samples
    from store.library import Library

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # the workers'
    original = folder / "sample-home"
    with FileLock(folder / "sample-home.lock"):
        if not original.exists():
            unfinished = tmp_path_factory.mktemp("samples")
            with Library.open(unfinished) as library:
                assert not ingest_samples(library).failed
            unfinished.rename(original)
    return lambda: Path(shutil.copytree(original, tmp_path_factory.mktemp("samples") / "home"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc)


@pytest.fixture
def kind_of_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which kind of database a test's libraries, conversations and accounts lie in."""
    if request.param == "postgresql":
        Databases(request.getfixturevalue("postgresql")).redirect(monkeypatch)
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started once. Skips where there can be none."""
    try:
        server = PostgresServer.make()
    except MissingServerError as error:
        pytest.skip(f"No PostgreSQL: {error}")
    yield server
    server.remove()
