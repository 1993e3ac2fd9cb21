"""Any HTTP endpoint as a system under test, by a small file that says what to send and where the answer stands.

url: http://localhost:9000/ask
headers: {Authorization: "Bearer ${ASK_TOKEN}"}
body: {query: "{question}", turns: "{history}"}
answer: data.text
answered: data.found
confidence: data.score
citations: data.sources
citation: {name: file, uri: link, quote: excerpt}
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import regex
from pydantic import AfterValidator, Field, ValidationError

from assistant.types import Message
from evals.formats.problems import at, translated
from evals.formats.schema import Entry
from evals.formats.yaml_lines import read_lined
from evals.systems.base import Citation, Reply, ReplyError
from evals.systems.citations import citation_of
from evals.systems.http import TIMEOUT_SECONDS, bearer, exchange

_VARIABLE = regex.compile(r"\$\{(\w+)\}")


class CitationPaths(Entry):
    """Where one source's parts stand."""

    name: str | None = None
    uri: str | None = None
    quote: str | None = None


def _address(given: str) -> str:
    if not given.startswith(("http://", "https://")):
        raise ValueError(f"`{given}` is no address: it begins with http:// or https://")
    return given


class EndpointMapping(Entry):
    """What to send, and where in the reply what stands: keys and places in lists, divided by dots."""

    url: Annotated[str, AfterValidator(_address)]
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: dict[str, str] = Field(default={})
    body: dict[str, Any] = Field(default={"question": "{question}"})
    answer: str
    answered: str | None = None
    confidence: str | None = None
    citations: str | None = None
    citation: CitationPaths | None = None
    ranking: str | None = None


class MappedEndpoint:
    """The endpoint that a mapping file describes."""

    def __init__(self, path: Path) -> None:
        self._mapping = read_mapping(path)
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, headers=bearer() | self._mapping.headers)
        self.name = self._mapping.url

    def reply(self, question: str, history: Sequence[Message]) -> Reply:
        """Return what it says. Raises ReplyError, UnreachableError."""
        mapping = self._mapping
        values = {
            "question": question,
            "history": [{"role": message.role, "content": message.text} for message in history],
        }
        url = mapping.url.replace("{question}", str(httpx.QueryParams({"q": question}))[2:])
        body = None if mapping.method == "GET" else _filled(mapping.body, values)
        found = exchange(self._client, mapping.method, url, body)
        text = _at(found, mapping.answer)
        if not isinstance(text, str):
            raise ReplyError(f"{mapping.url} has no text at `{mapping.answer}` of its reply.")
        return Reply(
            text,
            self._citations(found, mapping.citations),
            answered=_truth(_at(found, mapping.answered)),
            confidence=_share(_at(found, mapping.confidence)),
            ranking=self._citations(found, mapping.ranking),
        )

    def _citations(self, found: object, place: str | None) -> tuple[Citation, ...] | None:
        listed = _at(found, place)
        if not isinstance(listed, list):
            return None
        paths = self._mapping.citation
        if paths is None:
            return tuple(map(citation_of, listed))
        return tuple(
            Citation(*(str(_at(each, path) or "") for path in (paths.name, paths.uri, paths.quote))) for each in listed
        )


def read_mapping(path: Path) -> EndpointMapping:
    """Return the mapping in a file. Raises SuiteError with the line of what is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise at(path, None, "this mapping file can't be read as UTF-8.") from error
    lined = read_lined(text, path)
    try:
        mapping = EndpointMapping.model_validate(lined.value)
    except ValidationError as error:
        raise translated(error, path, lined.line, {"": EndpointMapping, "citation": CitationPaths}) from error
    missing = [
        name for value in mapping.headers.values() for name in _VARIABLE.findall(value) if name not in os.environ
    ]
    if missing:
        raise at(path, lined.line(("headers",)), f"the environment variable {missing[0]} is not set.")
    headers = {
        name: _VARIABLE.sub(lambda match: os.environ[match[1]], value) for name, value in mapping.headers.items()
    }
    return mapping.model_copy(update={"headers": headers})


def _filled(template: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return the template with what stands in braces; a text that is nothing else becomes the value itself."""
    if isinstance(template, dict):
        return {name: _filled(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, values) for each in template]
    for name, value in values.items():
        if template == f"{{{name}}}":
            return value
    return template.replace("{question}", values["question"]) if isinstance(template, str) else template


def _at(value: Any, path: str | None) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return what stands at a path such as ``choices.0.text``; None where there is nothing."""
    if path is None:
        return None
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.lstrip("-").isdigit() and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _share(value: object) -> float | None:
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) and not isinstance(value, bool) else None
