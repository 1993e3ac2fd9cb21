"""Load prompts and phrases, and render them strictly.

A prompt to a language model is a Jinja text file, ``models/<name>.txt``. Phrases that a user reads are in one file per
language, ``phrases/<language>.yaml``: to add a language, add its file. Strict means that the given variables must be
exactly those that the template uses: a missing or extra one is an error that names it. Values are never read as
templates.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, meta
from jinja2 import Template as JinjaTemplate

MODELS = Path(__file__).resolve().parent / "models"
PHRASES = Path(__file__).resolve().parent / "phrases"
FALLBACKS = ("neutral", "en")
"""Where to look for a phrase that a language lacks: ``neutral`` has phrases that fit any language."""

_ENVIRONMENT = Environment(
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - the outcome is plain text for a model or a terminal; the page escapes by itself
    trim_blocks=True,
    lstrip_blocks=True,
)


class TemplateError(ValueError):
    """A template is missing, malformed, or got other variables than it uses."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template with the variables that it uses; equal sources have equal hashes."""

    name: str
    source: str
    variables: frozenset[str]
    hash: str
    """SHA-256 of the source in UTF-8, in hexadecimal; in a run's metadata, it shows which wording was used."""
    _compiled: JinjaTemplate = field(repr=False, compare=False)

    def render(self, **variables: object) -> str:
        """Return the text with every variable filled in, without a newline at its end.

        Raises TemplateError if variables are missing or extra; the message names them.
        """
        given = frozenset(variables)
        problems = []
        if missing := sorted(self.variables - given):
            problems.append(f"it needs {', '.join(missing)}")
        if extra := sorted(given - self.variables):
            problems.append(f"it does not use {', '.join(extra)}")
        if problems:
            raise TemplateError(f"Template {self.name!r} was given the wrong variables: {'; '.join(problems)}.")
        return self._compiled.render(**variables).rstrip("\n")


def load(name: str, folder: Path = MODELS) -> Template:
    """Return the prompt ``<name>.txt`` of `folder`, for example ``load("write.system")``.

    Raises TemplateError if it doesn't exist, or its syntax is wrong.
    """
    paths = {path.stem: path for path in folder.glob("*.txt")}
    if name not in paths:
        raise TemplateError(f"There is no prompt {name!r} in {folder}; there are: {', '.join(sorted(paths))}.")
    return _template(name, paths[name].read_text(encoding="utf-8"))


def phrase(name: str, language: str, folder: Path = PHRASES) -> Template:
    """Return the phrase `name` in `language` (BCP 47), or in its base language, or one of `FALLBACKS`.

    Raises TemplateError if none of them has it, or its syntax is wrong.
    """
    found = phrase_in(name, language, folder)
    for fallback in FALLBACKS:
        found = found or phrase_in(name, fallback, folder)
    if found is None:
        raise TemplateError(f"There is no phrase {name!r} for {language!r} in {folder}, nor in {FALLBACKS[-1]!r}.")
    return found


def phrase_in(name: str, language: str, folder: Path = PHRASES) -> Template | None:
    """Return the phrase `name` of `language` or of its base language; None if neither has it."""
    paths = {path.stem: path for path in folder.glob("*.yaml")}
    for tag in dict.fromkeys((language, language.partition("-")[0])):
        if tag in paths and (source := _phrases(paths[tag], paths[tag].stat().st_mtime_ns).get(name)) is not None:
            return _template(f"{name}.{tag}", source)
    return None


@lru_cache(maxsize=64)
def _phrases(path: Path, modified_ns: int) -> dict[str, str]:
    # `modified_ns` is only part of the cache's key: an edited file is read again.
    try:
        phrases = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TemplateError(f"The phrases in {path.name} are malformed: {' '.join(str(error).split())}.") from error
    if not isinstance(phrases, dict) or not all(isinstance(text, str) for text in phrases.values()):
        raise TemplateError(f"The phrases in {path.name} are malformed: write one name and one text a line.")
    return phrases


@lru_cache(maxsize=512)
def _template(name: str, source: str) -> Template:
    try:
        variables = meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
        compiled = _ENVIRONMENT.from_string(source)
    except TemplateSyntaxError as error:
        raise TemplateError(f"Template {name!r} is malformed at line {error.lineno}: {error.message}.") from error
    digest = hashlib.sha256(source.encode("utf-8")).hexdigest()
    return Template(name, source, frozenset(variables), digest, compiled)
