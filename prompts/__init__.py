"""Templates as text files, one per task and language, strictly rendered."""
