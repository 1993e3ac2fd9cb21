"""What late interaction compares a question with: on SQLite alone, for there was no PostgreSQL then."""

from store.catalog.migrations.statements import run_statements

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the statements in the file beside this one."""
    run_statements(__file__)
