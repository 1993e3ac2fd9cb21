"""Measure the figures in the documentation."""
