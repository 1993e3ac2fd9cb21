"""Keep the catalog: one SQLite file, or PostgreSQL, that holds every document, passage and conversation."""
