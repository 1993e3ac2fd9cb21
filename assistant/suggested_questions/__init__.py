"""Make questions that the documents answer, to suggest to people and to begin a suite with."""
