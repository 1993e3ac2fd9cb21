"""The catalog: one SQLite file that holds every document, passage and conversation."""
