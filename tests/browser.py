"""Find a Chromium that starts, or install one: `python -m tests.browser`.

In this order: Playwright's own, if it is there; the system's; Playwright's own, downloaded; Debian's package,
if this is Debian and we may install. Without any, the tests of the page say so themselves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
"""For browsers that tests start: as root too, without a graphics card, asking nobody for updates."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 600
"""For one download."""


def find_browser() -> Path | None:
    """A Chromium that starts: Playwright's own, else the system's; None where there is none."""
    return next(filter(_starts, _candidates()), None)


def install_browser() -> Path | None:
    """Install a Chromium, and fonts for the scripts that the page shows; None where nothing could be done."""
    for install in (_download, _install_package):
        if install():
            found = find_browser()
            if found is not None:
                return found
    return None


def main() -> int:
    """Say which browser the tests use; exit code 1 if CI has none."""
    found = find_browser() or install_browser()
    if found is None:
        print(
            "There is no Chromium, and none could be installed: tests of the page can't run. Install your system's "
            "`chromium`, or run `.venv/bin/playwright install --with-deps chromium`.",
            file=sys.stderr,
        )
        return 1 if os.environ.get("CI") else 0
    if not _shows_thai():
        _run(["apt-get", "install", "--yes", "--no-install-recommends", "fonts-noto-core"], when=_may_install)
    print(f"The tests of the page use {found}.")
    return 0


def _candidates() -> Iterator[Path]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.exists():
        yield own
    yield from (Path(path) for path in map(shutil.which, NAMES) if path)


def _starts(path: Path) -> bool:
    """Whether the browser runs here: a downloaded one can lack libraries of the system."""
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            playwright.chromium.launch(executable_path=str(path), args=list(FLAGS)).close()
    except Error:
        return False
    return True


def _download() -> bool:
    return _run([sys.executable, "-m", "playwright", "install", "chromium"])


def _install_package() -> bool:
    wanted = ["chromium", "fonts-noto-core"]
    return _run(["apt-get", "update"], when=_may_install) and _run(
        ["apt-get", "install", "--yes", "--no-install-recommends", *wanted], when=_may_install
    )


def _may_install() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def _shows_thai() -> bool:
    """Whether a font with Thai letters is there; True where that can't be known."""
    if shutil.which("fc-list") is None:
        return True
    listed = subprocess.run(["fc-list", ":lang=th"], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip())


def _run(command: list[str], when: Callable[[], bool] = lambda: True) -> bool:
    """Whether the command did its work; what it said is shown only if it didn't."""
    if not when():
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    print(f"Running {' '.join(command)}", flush=True)
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"That failed: {error}", file=sys.stderr)
        return False
    if done.returncode != 0:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        reasons = [line for line in said if line.lower().startswith(("error", "e:"))] or said
        print(f"That failed: {reasons[-1] if reasons else done.returncode}", file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
