"""As many processors are counted as the process may use, in a container too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store.processors import cpu_quota, processors


@pytest.mark.parametrize(
    ("name", "limits", "quota"),
    [
        pytest.param("/", {".": "150000 100000"}, 1.5, id="in a container"),
        pytest.param("/", {}, None, id="on a machine, whose root has no limit"),
        pytest.param("/", {".": "max 100000"}, None, id="in a container without a limit"),
        pytest.param("/system.slice/attest.service", {"system.slice/attest.service": "50000 100000"}, 0.5, id="a unit"),
        pytest.param(
            "/pod/app", {"pod": "200000 100000", "pod/app": "400000 100000"}, 2.0, id="the group above allows less"
        ),
        pytest.param("/pod/app", {"pod": "200000 100000", "pod/app": "max 100000"}, 2.0, id="only the group above"),
        pytest.param("/", {".": "nonsense"}, None, id="something else"),
        pytest.param("/../beside", {"beside": "100000 100000"}, None, id="a group that isn't mounted"),
    ],
)
def test_the_smallest_quota_counts(tmp_path: Path, name: str, limits: dict[str, str], quota: float | None) -> None:
    root = tmp_path / "cgroup"
    for group, limit in limits.items():
        (root / group).mkdir(parents=True, exist_ok=True)
        (root / group / "cpu.max").write_text(f"{limit}\n", encoding="utf-8")
    groups = tmp_path / "groups"
    groups.write_text(f"9:name=systemd:/\n1:cpu:/other\n0::{name}\n", encoding="utf-8")
    assert cpu_quota(groups, root) == quota


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("3:cpuset:/\n1:cpu:/docker/a\n", encoding="utf-8")
    assert cpu_quota(tmp_path / "absent", tmp_path) is None
    assert cpu_quota(tmp_path / "old", tmp_path) is None


@pytest.mark.parametrize(("quota", "expected"), [(0.2, 1), (1.0, 1), (1.5, 2), (2.0, 2), (64.0, 3), (None, 3)])
def test_a_part_of_a_processor_counts_as_one(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, expected: int
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    monkeypatch.setattr("store.processors.cpu_quota", lambda: quota)
    assert processors() == expected


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has it.")
def test_affinity_counts() -> None:
    one = min(os.sched_getaffinity(0))
    script = (
        f"import os; os.sched_setaffinity(0, {{{one}}}); from store.processors import processors; print(processors())"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "1\n"
