"""The most memory that a process has held, from the moment when a test begins to look.

`resource.getrusage` doesn't tell it: a process inherits the figure of the one that started it, and a test run that has
grown to gigabytes hides whatever its children take.
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
