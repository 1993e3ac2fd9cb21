"""Read `sources.yaml`: what the person who supplies files says about them.

    - file: report.txt
      title: Report on the meeting
      speaker: The ministry, in its own words
      published: 2023-06
      language: en
      collection: Minutes

Only `file` is required; other keys, such as a translated title, are ignored.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import regex
import yaml

from ingest.metadata import iso_date
from store.collections import checked_collection
from store.errors import ReadError, RequestError

SOURCES_FILE = "sources.yaml"
MAX_BYTES = 4 * 2**20
"""Per `sources.yaml`: about 20,000 entries."""

_LANGUAGE_TAG = regex.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Source:
    """An entry's statements about its file; None for missing ones."""

    title: str | None = None
    speaker: str | None = None
    published: str | None = None
    """ISO 8601, as precise as known."""
    language: str | None = None
    collection: str | None = None


def read_sources(folder: Path) -> dict[str, Source]:
    """Return the entries of `folder`'s `sources.yaml` by file name; none if there is no such file.

    Raises ReadError with one sentence that names the wrong line or entry.
    """
    path = folder / SOURCES_FILE
    if not path.is_file():
        return {}
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReadError(f"It can't be read: {(error.strerror or 'unknown reason').lower()}.") from error
    if len(data) > MAX_BYTES:
        raise ReadError(f"It is longer than {MAX_BYTES >> 20} MB, which is the limit.")
    return _checked(_parsed(data))


def _parsed(data: bytes) -> object:
    try:
        return yaml.safe_load(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ReadError("It is not in UTF-8: save it as UTF-8 and try again.") from error
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ReadError(f"It is not valid YAML{line}: {error.problem or 'it can not be parsed'}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ReadError("It is not valid YAML.") from error


def _checked(content: object) -> dict[str, Source]:
    if content is None:
        return {}
    if not isinstance(content, list):
        raise ReadError("It must be a list of entries, each beginning with “- file: NAME”.")
    sources: dict[str, Source] = {}  # By names in NFC, because some systems write file names in NFD.
    for number, entry in enumerate(content, start=1):
        if not isinstance(entry, dict) or not isinstance(name := entry.get("file"), str):
            raise ReadError(f"Its entry {number} lacks “file: NAME”.")
        name = unicodedata.normalize("NFC", name)
        if name in sources:
            raise ReadError(f"It has two entries for {name}: keep one.")
        sources[name] = Source(
            title=_text(entry, "title", name),
            speaker=_text(entry, "speaker", name),
            published=_date(entry, name),
            language=_language(entry, name),
            collection=_collection(entry, name),
        )
    return sources


def _text(entry: dict[object, object], key: str, name: str) -> str | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ReadError(f"The {key} of {name} must be a text: put it in quotation marks.")
    return " ".join(value.split()) or None


def _date(entry: dict[object, object], name: str) -> str | None:
    value = entry.get("published")
    if value is None:
        return None
    date = iso_date(value)
    if date is None:
        raise ReadError(f"The date of {name} must be written as 2023, 2023-06 or 2023-06-14.")
    return date


def _collection(entry: dict[object, object], name: str) -> str | None:
    value = _text(entry, "collection", name)
    try:
        return None if value is None else checked_collection(value)
    except RequestError as error:
        raise ReadError(f"The collection of {name} can't be used. {error}") from error


def _language(entry: dict[object, object], name: str) -> str | None:
    value = entry.get("language")
    if value is None:
        return None
    if value is False:  # YAML reads the code of Norwegian as "no".
        value = "no"
    if not isinstance(value, str) or not _LANGUAGE_TAG.fullmatch(value):
        raise ReadError(f"The language of {name} must be a code like en, th or zh-Hant.")
    language, _, rest = value.partition("-")
    return f"{language.lower()}-{rest}" if rest else language.lower()
