"""Train the reader: data, synthetic negatives, low-rank adapter."""
