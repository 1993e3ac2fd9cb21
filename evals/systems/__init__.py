"""What can be evaluated: Attest itself, any HTTP endpoint, any Python function, LlamaIndex's engines."""
