"""Serve OpenAI's API, so that its clients can ask Attest. Each reply has the whole answer object next to its text."""
