"""Which process has a library open."""
