"""Count the processors that this process may use: a container or a systemd unit may have less than the machine."""

from __future__ import annotations

import os
import sys
from math import ceil
from pathlib import Path


def processors() -> int:
    """Return how many processors this process may use, at least 1: those of its affinity, within the quota on Linux."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0))
    quota = cpu_quota()
    return allowed if quota is None else max(1, min(allowed, ceil(quota)))


def cpu_quota(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the smallest CPU quota of this process's control group and those above it, in processors.

    Return None if there is no quota, or no control groups of version 2 with one. `groups` names the group, a line
    ``0::/path``; each has a file ``cpu.max`` under `root`, ``quota period`` in microseconds, or ``max period``
    (https://docs.kernel.org/admin-guide/cgroup-v2.html). In a container, the path is usually ``/``.
    """
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    name = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if name is None:
        return None
    found = (_quota(folder) for folder in (root / name, *(root / above for above in Path(name).parents)))
    return min((quota for quota in found if quota is not None), default=None)


def _quota(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        return int(quota) / int(period)
    except (OSError, ValueError):  # the root has no such file; "max" is no number
        return None
