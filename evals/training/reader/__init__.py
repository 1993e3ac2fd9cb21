"""Training of the reader: data, made-up negatives, low-rank adapter."""
