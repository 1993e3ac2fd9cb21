"""Return the version of the running program."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """Return the version of the installed program."""
    try:
        return version("attest")
    except PackageNotFoundError:  # run from a source tree
        return "unreleased"
