"""Templates as text files, one per task and language, strictly rendered."""

from prompts.render import Template, TemplateError, load, load_for

__all__ = ["Template", "TemplateError", "load", "load_for"]
