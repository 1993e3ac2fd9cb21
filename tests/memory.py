"""Measure the peak memory of a process, from the moment when a test begins to measure.

`resource.getrusage` can't be used: a process inherits the figure of its parent, and a test run of several gigabytes hides
the memory of its children.
"""

from __future__ import annotations

from pathlib import Path

PROCESS = Path("/proc/self")


def begin() -> int:
    """Forget what was held before, where the system lets us; megabytes held now."""
    with (PROCESS / "clear_refs").open("w") as file:
        file.write("5")
    return peak_megabytes()


def peak_megabytes() -> int:
    """The most megabytes that this process has held since it started or `begin`."""
    lines = (PROCESS / "status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024
