"""Read Markdown files: what a reader of the rendered page sees."""
