"""Cases to answers to verdicts to a report."""
