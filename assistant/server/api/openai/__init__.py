"""OpenAI's API: whatever speaks it can ask Attest. Each reply carries the whole answer object beside its text."""
