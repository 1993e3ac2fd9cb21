"""Add documents, their texts, passages and vectors: on SQLite only, because PostgreSQL was not supported then."""

from store.catalog.migrations.statements import run_statements

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the statements in the file next to this one."""
    run_statements(__file__)
