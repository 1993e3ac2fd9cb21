"""Serve the chat page and the API for other programs in one application."""
