"""Test suites of every format, right and wrong."""
