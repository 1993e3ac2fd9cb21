"""Add tables that servers of one library in PostgreSQL share."""

from alembic import op

from store.catalog import serving_tables

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        serving_tables.metadata.create_all(connection)
