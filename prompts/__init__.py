"""Hold prompts to language models, and the phrases that users read, one file per language; both are rendered strictly."""

from prompts.render import Template, TemplateError, load, phrase, phrase_in

__all__ = ["Template", "TemplateError", "load", "phrase", "phrase_in"]
