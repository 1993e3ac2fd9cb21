"""Edit settings for a library's place in the text of a settings file, because a copy elsewhere has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.settings import Settings

PLACE = (
    "database_url",
    "database_password_file",
    "chroma_url",
    "chroma_tenant",
    "chroma_database",
    "chroma_token_file",
    "chroma_ca_file",
)
"""Settings that locate a library, rather than describe it."""


def place_settings(settings: Settings) -> dict[str, str | None]:
    """Return those settings in the form of a file; None for those that need no line."""
    values = settings.model_dump(mode="json", include=set(PLACE), exclude_defaults=True)
    return {name: values.get(name) for name in PLACE}


def with_values(text: str, values: Mapping[str, str | None]) -> str:
    """Return the text of a TOML file with these values at its top; None removes one. Comments and order stay."""
    import tomlkit

    document = tomlkit.parse(text)
    for name, value in values.items():
        if value is not None:
            document[name] = value
        elif name in document:
            del document[name]
    return tomlkit.dumps(document)
