"""Hold the migrations from before Alembic: SQL for SQLite."""

from __future__ import annotations

from pathlib import Path

from alembic import op


def run_statements(revision: str) -> None:
    """Run the SQL in the file next to the Python file `revision`, with the same name."""
    for statement in Path(revision).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
