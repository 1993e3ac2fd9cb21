"""Code that fits the numbers and weights that ship with Attest."""
