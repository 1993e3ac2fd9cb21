"""Run language models behind LlamaIndex's `LLM`: endpoints, GGUF files in the process, transformers models.

Nothing outside this folder knows which kind it talks to. What the kinds add to `LLM` is in `base`.
"""
