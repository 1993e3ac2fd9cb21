"""Turn files into documents and passages; safe to repeat."""
