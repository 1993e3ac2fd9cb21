"""Compare and understand text: folding, dates, languages."""
