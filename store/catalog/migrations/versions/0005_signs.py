"""Add warning signs to documents: on SQLite only, because PostgreSQL was not supported then."""

from store.catalog.migrations.statements import run_statements

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the statements in the file next to this one."""
    run_statements(__file__)
