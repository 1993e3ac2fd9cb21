"""Run the pipeline from question to answer."""
