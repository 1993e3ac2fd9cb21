"""Store documents, and find them again."""
