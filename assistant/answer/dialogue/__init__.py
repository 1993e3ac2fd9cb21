"""A conversation's turns: what kind each is, and the answers that are no search for a quote."""
