"""Keep the indexes derived from the catalog: vectors in Chroma, keywords in tantivy or PostgreSQL."""
