"""Read HTML pages and fragments: what a reader of the page sees, block by block."""
