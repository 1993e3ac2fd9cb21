"""Add the tokens that late interaction compares: on SQLite only, because PostgreSQL was not supported then."""

from store.catalog.migrations.statements import run_statements

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the statements in the file next to this one."""
    run_statements(__file__)
