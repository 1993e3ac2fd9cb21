"""Loads templates from the text files beside this module and renders them strictly.

A template is a Jinja text file named ``<name>.txt`` or ``<name>.jinja``; one that exists per language is
named ``<name>.<language>.txt``, with ``neutral`` or ``en`` as the language to fall back to. Strict means that
the variables given are exactly those that the template uses: a missing or a superfluous one is an error that
names it.
What a value holds is never read as a template.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, meta
from jinja2 import Template as JinjaTemplate

FOLDER = Path(__file__).resolve().parent
SUFFIXES = (".txt", ".jinja")
FALLBACKS = ("neutral", "en")

_ENVIRONMENT = Environment(
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - the outcome is plain text for a model or a terminal; the page escapes by itself
    trim_blocks=True,
    lstrip_blocks=True,
)


class TemplateError(ValueError):
    """A template is missing, malformed, or was given other variables than it uses."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template with the variables that it uses; equal sources have equal hashes."""

    name: str
    source: str
    variables: frozenset[str]
    hash: str
    """SHA-256 of the source in UTF-8, in hexadecimal: it tells in a run's metadata which wording was used."""
    _compiled: JinjaTemplate = field(repr=False, compare=False)

    def render(self, **variables: object) -> str:
        """The text with every variable filled in, without a newline at its end.

        Raises:
            TemplateError: variables are missing or superfluous; the message names them.
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


def load(name: str, folder: Path = FOLDER) -> Template:
    """The template `name` (without its suffix), for example ``load("write.th")``.

    Raises:
        TemplateError: there is none of that name, or its syntax is wrong.
    """
    path = _find(name, folder)
    if path is None:
        known = ", ".join(sorted(p.stem for p in folder.iterdir() if p.suffix in SUFFIXES)) or "none"
        raise TemplateError(f"There is no template {name!r} in {folder}; there are: {known}.")
    return _read(path, path.stat().st_mtime_ns)


def load_for(name: str, language: str, folder: Path = FOLDER) -> Template:
    """The template of a task in `language` (BCP 47), else in its base language, else neutral, else English.

    Raises:
        TemplateError: none of them exists.
    """
    base = language.partition("-")[0]
    candidates = [f"{name}.{each}" for each in dict.fromkeys((language, base, *FALLBACKS))] + [name]
    for candidate in candidates:
        if _find(candidate, folder) is not None:
            return load(candidate, folder)
    raise TemplateError(f"There is no template {name!r} for {language!r}: none of {', '.join(candidates)} exists.")


def _find(name: str, folder: Path) -> Path | None:
    if "/" in name or "\\" in name or name.startswith("."):
        raise TemplateError(f"A template's name is a file's name without a folder, not {name!r}.")
    return next((path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()), None)


@lru_cache(maxsize=256)
def _read(path: Path, modified_ns: int) -> Template:
    # `modified_ns` is part of the cache's key only: an edited file is loaded anew.
    source = path.read_text(encoding="utf-8")
    try:
        variables = meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
        compiled = _ENVIRONMENT.from_string(source)
    except TemplateSyntaxError as error:
        raise TemplateError(f"Template {path.name} is malformed at line {error.lineno}: {error.message}.") from error
    digest = hashlib.sha256(source.encode("utf-8")).hexdigest()
    return Template(path.stem, source, frozenset(variables), digest, compiled)
