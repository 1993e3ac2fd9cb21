"""Text compared and understood: folding, dates, languages."""
