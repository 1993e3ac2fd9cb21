"""Add indexes for filters by date, and by language on PostgreSQL."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the indexes."""
    connection = op.get_bind()
    connection.exec_driver_sql(
        "CREATE INDEX IF NOT EXISTS documents_live_dates "
        "ON documents (published_last, published_first, passage_count, state) WHERE state = 'live'"
    )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS passages_language ON passages (language)")
