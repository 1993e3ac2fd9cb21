"""Suites of every format, right and wrong."""
