"""Serve Attest's own routes under ``/api``: everything that the page can do."""
