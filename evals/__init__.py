"""Evaluate assistants: from cases to answers, verdicts and a report."""
