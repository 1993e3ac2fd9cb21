"""Correct mistyped questions: without marks, in keys of an input method, on the wrong layout, with typos."""
