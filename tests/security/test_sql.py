"""No SQL is built from input: statements are SQLAlchemy's expressions or fixed text, and values are always bound."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("store", "ingest", "assistant", "evals")
RUNS = frozenset({"execute", "executemany", "executescript", "exec_driver_sql", "scalars", "scalar"})
"""Methods that run a statement."""
MAKES = frozenset({"sa.text", "text", "sa.literal_column", "literal_column", "SQL", "sa.DDL", "DDL"})
"""What makes a statement, or a part of one, of a string."""
FIXED = {
    ("store/catalog/engine.py", "f'PRAGMA {pragma}'"),  # of the list above it
    ("store/catalog/catalog.py", "f'PRAGMA {name}'"),
    ("store/catalog/account_file.py", "f'PRAGMA {pragma}'"),
    ("store/catalog/account_file.py", "f'PRAGMA application_id = {APPLICATION_ID}'"),
    ("store/catalog/account_file.py", "f'PRAGMA user_version = {len(MIGRATIONS)}'"),
    ("store/catalog/schema.py", "f'PRAGMA application_id = {APPLICATION_ID}'"),
    ("store/catalog/schema.py", "f'PRAGMA user_version = {number}'"),
}
"""Made of the program's own constants, where SQLite takes no bound value."""
STRINGS = {
    ("store/catalog/tables.py", "where"),  # a condition of an index, from this file
    ("store/catalog/migrations/statements.py", "statement"),  # from the files of revisions
}
"""Names of strings that are run."""


def made_of_strings(source: str) -> Iterator[ast.expr]:
    """Yield each argument that becomes SQL and isn't words in quotes: joined or formatted strings, and names of some."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called, first = ast.unparse(node.func), node.args[0]
        last = called.rpartition(".")[2]
        if (last in RUNS and _is_put_together(first)) or (
            (called in MAKES or last == "exec_driver_sql") and not isinstance(first, ast.Constant)
        ):
            yield first


def _is_put_together(node: ast.expr) -> bool:
    is_formatted = (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"format", "format_map", "join", "replace"}
        and isinstance(node.func.value, ast.Constant | ast.JoinedStr)
    )
    is_joined = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
    return isinstance(node, ast.JoinedStr) or is_joined or is_formatted


@pytest.mark.parametrize("package", PACKAGES)
def test_statements_are_fixed_words_or_expressions(package: str) -> None:
    for path in sorted((ROOT / package).rglob("*.py")):
        source = path.read_text("utf-8")
        if not any(word in source for word in ("sqlalchemy", "sqlite3", "psycopg", "alembic")):
            continue
        place = path.relative_to(ROOT).as_posix()
        for found in made_of_strings(source):
            assert (place, ast.unparse(found)) in FIXED | STRINGS, f"{place}:{found.lineno}: {ast.unparse(found)}"


def test_the_linter_looks_for_it_too_and_is_switched_off_nowhere() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    ignored = {*lint["ignore"], *(rule for rules in lint["per-file-ignores"].values() for rule in rules)}
    assert "S" in lint["select"]
    assert not ignored & {"S", "S6", "S60", "S608"}
    rule = "S" + "608"
    assert [path for path in _sources() if rule in path.read_text("utf-8")] == []


def _sources() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
