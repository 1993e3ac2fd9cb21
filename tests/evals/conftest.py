"""What the tests of the evaluation share."""

from __future__ import annotations

from hypothesis import settings

# The first example of a test may load the Thai dictionary: time says nothing about the code here.
settings.register_profile("evals", deadline=None)
settings.load_profile("evals")
