"""Serve Attest to hosts that speak the Model Context Protocol: over standard input and output, and at ``/mcp``."""
