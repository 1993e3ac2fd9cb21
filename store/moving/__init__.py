"""Move a library between SQLite files and PostgreSQL."""
