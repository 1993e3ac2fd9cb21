"""Serve the chat page: it renders the events of an answer, and decides nothing."""
