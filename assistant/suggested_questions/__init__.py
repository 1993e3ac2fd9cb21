"""Make questions that the documents answer, to suggest to people and to start a suite with."""
