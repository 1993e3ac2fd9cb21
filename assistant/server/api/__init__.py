"""The HTTP API and the MCP server: the one pipeline, for other programs."""
