"""Back up and restore a library."""
