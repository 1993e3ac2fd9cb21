"""Turn a question into an answer."""
