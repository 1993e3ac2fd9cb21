"""Add keywords in PostgreSQL; a library in files keeps them in other files."""

from alembic import op
from sqlalchemy import text

from store.catalog import keyword_tables

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables, and make the next opening fill them."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        keyword_tables.metadata.create_all(connection)
        generation = text("SELECT CAST(value AS bigint) FROM library WHERE name = 'keywords_generation'")
        for number in connection.scalars(generation):
            connection.execute(keyword_tables.generations.insert(), keyword_tables.empty(number))
        # No version, so that they are built.
        connection.execute(text("UPDATE library SET value = '0' WHERE name = 'terms_version'"))
