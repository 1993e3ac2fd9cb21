"""The pipeline from question to answer."""
