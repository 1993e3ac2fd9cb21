"""Attest for hosts that speak the Model Context Protocol: over standard input and output, and at ``/mcp``."""
