"""Fit the numbers and weights that ship with Attest."""
