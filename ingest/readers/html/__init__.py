"""HTML pages and pieces: what a reader of the page sees, block by block."""
