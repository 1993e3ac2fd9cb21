"""Read PDF files: glyphs to lines, lines to columns, columns to paragraphs."""
