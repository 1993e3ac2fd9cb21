"""Connect systems under test: Attest itself, any HTTP endpoint, any Python function, LlamaIndex's engines."""
