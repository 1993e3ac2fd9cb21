"""Files to documents to passages, safe to repeat."""
