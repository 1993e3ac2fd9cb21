"""Match places, peoples and bodies by their names in several languages: a claim's "Chinese" is a quote's "จีน".

Territories come from the Unicode CLDR by way of Babel; ``places.yaml`` adds cities, bodies and adjectives.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import regex
import yaml

from assistant.verify.text import fold, has_thai

LANGUAGES = ("en", "th", "vi", "fr", "es", "id", "de", "zh", "ar", "ru", "ja")


@cache
def names_by_entity() -> dict[str, frozenset[str]]:
    """Return all names of each entity, folded and in lower case."""
    from babel import Locale

    names: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2:
                names[code] |= _variants(name)
    lists = yaml.safe_load(Path(__file__).with_name("places.yaml").read_text(encoding="utf-8"))
    for code, line in lists["adjectives"].items():
        for name in line.split(" / "):
            names[code] |= _variants(name)
    for line in lists["entities"]:
        for name in line.split(" / "):
            names[line.partition(" / ")[0]] |= _variants(name)
    return {entity: frozenset(each) for entity, each in names.items()}


def _variants(name: str) -> set[str]:
    folded = fold(name).lower()
    short = regex.sub(r"\s*\(.*?\)", "", folded)
    return {each for each in (folded, short, short.replace("&", "and"), short.removeprefix("the ")) if each}


@cache
def entities_by_name() -> dict[str, frozenset[str]]:
    """Return for each name, folded and in lower case, the entities that have it."""
    entities: dict[str, set[str]] = defaultdict(set)
    for entity, names in names_by_entity().items():
        for name in names:
            entities[name].add(entity)
    return {name: frozenset(each) for name, each in entities.items()}


def entities_of(name: str) -> frozenset[str]:
    """Return the entities that a name can mean; empty for unknown names."""
    folded = fold(name).lower().strip(" .,'")
    return entities_by_name().get(folded) or entities_by_name().get(folded.removesuffix("'s"), frozenset())


def name_in(name: str, language: str) -> str | None:
    """Return the name of an entity in `language`; None if it is unknown or shared by several entities."""
    entities = entities_of(name)
    if len(entities) != 1:
        return None
    (entity,) = entities
    return _spoken(language).get(entity)


@cache
def _spoken(language: str) -> dict[str, str]:
    """Return the usual name of each entity in a language; for cities and bodies only in English, Thai and Vietnamese.

    A line of ``places.yaml`` has the English name first, then Thai ones, then Vietnamese ones.
    """
    from babel import Locale, UnknownLocaleError

    try:
        territories = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        return {}
    names = {code: str(name) for code, name in territories.items() if len(code) == 2}
    for line in yaml.safe_load(Path(__file__).with_name("places.yaml").read_text(encoding="utf-8"))["entities"]:
        listed = line.split(" / ")
        thai = [place for place, name in enumerate(listed) if has_thai(name)]
        by_language = {
            "en": listed[0],
            "th": listed[thai[0]] if thai else None,
            "vi": listed[thai[-1] + 1] if thai and thai[-1] + 1 < len(listed) else None,
        }
        if spoken := by_language.get(language.partition("-")[0]):
            names[listed[0]] = spoken
    return names


def mentions(text: str, entities: frozenset[str]) -> bool:
    """Return whether a folded `text` names any of `entities` in any language."""
    lowered = text.lower()
    for entity in entities:
        for name in names_by_entity()[entity]:
            if has_thai(name) or (not name.isascii() and not regex.search(r"\p{Latin}", name)):
                if name in lowered:
                    return True
            elif name in lowered and regex.search(rf"(?<!\p{{L}}){regex.escape(name)}(?!\p{{L}})", lowered):
                return True
    return False


@cache
def thai_names() -> regex.Pattern[str]:
    """Return a pattern that matches the Thai names of entities, longest first."""
    names = sorted((name for name in entities_by_name() if has_thai(name) and len(name) >= 3), key=len, reverse=True)
    return regex.compile("|".join(map(regex.escape, names)))
