"""Inspect the project's own files: which are tracked, what they import, what is declared."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PACKAGES = ("assistant", "ingest", "prompts", "store", "evals")

WORKSHOP = (Path("evals/benchmarks"), Path("evals/training"))
"""Run in a clone by developers, with what tests need; no part of what is installed."""

INSTALLED_EXTRAS = ("local", "test", "torch")
"""The extras that `make test` installs: what the others bring can't be looked into here."""


def tracked_files() -> list[Path]:
    """The files under version control, relative to the root. Skips where this isn't a clone."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("This is no git clone: which files belong to the project isn't known.")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    """The Python files under these folders, relative to the root."""
    found = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if path.suffix == ".py")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that the file imports, wherever in it, with the line. ``from a import b`` counts as ``a.b``."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def in_workshop(path: Path) -> bool:
    """Return whether a file is run in a clone only."""
    return any(path.is_relative_to(folder) for folder in WORKSHOP)


def foreign_imports(*folders: str, without: Callable[[Path], bool] = lambda path: False) -> dict[str, str]:
    """Return modules from neither the standard library nor this project, each with one place where it is imported.

    Files for which `without` holds don't count.
    """
    own = {*PACKAGES, "tests", *sys.stdlib_module_names}
    found: dict[str, str] = {}
    for path in python_files(*folders):
        if without(path):
            continue
        for module, line in imports(path):
            if module.partition(".")[0] not in own:
                found.setdefault(module, f"{path}:{line}")
    return found


def pyproject() -> dict[str, Any]:
    """What `pyproject.toml` holds."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def declared(*extras: str) -> dict[str, Requirement]:
    """What is declared for run time and for these extras, by canonical name."""
    project = pyproject()["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {canonicalize_name(each.name): each for each in map(Requirement, lines)}


class Providers:
    """Which installed distribution a module comes from."""

    def __init__(self) -> None:
        self._files: dict[str, set[str]] = {}
        for distribution in distributions():
            name = canonicalize_name(distribution.metadata["Name"])
            for file in distribution.files or ():
                if file.suffix in {".py", ".pyi", ".so", ".pyd"}:
                    self._files.setdefault(file.parts[0].partition(".")[0], set()).add(name)
                    module = "/".join(file.parts).removesuffix("/__init__.py").removesuffix(".py")
                    self._files.setdefault(module.replace("/", "."), set()).add(name)

    def of(self, module: str) -> set[str]:
        """The distributions that can have brought `module`: those of its longest prefix that is a file."""
        while module:
            if module in self._files:
                return self._files[module]
            module = module.rpartition(".")[0]
        return set()
