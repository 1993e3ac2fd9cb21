"""Read OpenDocument texts (.odt): numbered paragraphs, tables and notes, and their styles."""
