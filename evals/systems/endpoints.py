"""Ask HTTP endpoints: any OpenAI-compatible chat, and any other through a small mapping file.

A mapping says what to send and where in the reply the answer is:

    url: http://localhost:9000/ask
    headers: {Authorization: "Bearer ${ASK_TOKEN}"}
    body: {query: "{question}", turns: "{history}"}
    answer: data.text
    answered: data.found
    confidence: data.score
    citations: data.sources
    citation: {name: file, uri: link, quote: excerpt}

Failures are distinguished: unreachable, refused, no usable reply.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urldefrag

import httpx
import regex
from pydantic import AfterValidator, Field, ValidationError

from assistant.types import Answer, Message
from evals.formats.attest import Entry
from evals.formats.problems import at, translated
from evals.formats.yaml_lines import read_lined
from evals.systems.base import Citation, Reply, ReplyError, UnreachableError
from evals.systems.citations import chat_citations, citation_of, split_references
from store.errors import RequestError

KEY_VARIABLE = "ATTEST_SYSTEM_KEY"
"""Environment variable with the bearer token for the system under test."""
TIMEOUT_SECONDS = 300.0
_BUSY = frozenset({408, 425, 429, 502, 503, 504})
_VARIABLE = regex.compile(r"\$\{(\w+)\}")


def _bearer() -> dict[str, str]:
    """Return the header with the key for the system under test, if the environment has one."""
    key = os.environ.get(KEY_VARIABLE)
    return {"Authorization": f"Bearer {key}"} if key else {}


def _exchange(client: httpx.Client, method: str, url: str, body: object = None) -> Any:  # noqa: ANN401 - JSON of any shape
    """Send `body` as JSON and return the reply's JSON.

    Raises UnreachableError if nobody answers, or the key or the address is refused; ReplyError if the reply is an error
    or not JSON.
    """
    try:
        response = client.request(method, url, json=body)
    except httpx.HTTPError as error:
        raise UnreachableError(f"{url} can't be reached: {str(error) or type(error).__name__}.") from error
    status = response.status_code
    if status in {401, 403}:
        raise UnreachableError(f"{url} refused access (status {status}): set {KEY_VARIABLE} to a key that it accepts.")
    if status in _BUSY or status == 404:
        hint = ": check the address" if status == 404 else ""
        raise UnreachableError(f"{url} answers with status {status}{hint}.")
    if status >= 400:
        raise ReplyError(f"{url} answers with status {status}: {_clip(response.text)}")
    try:
        return response.json()
    except ValueError as error:
        raise ReplyError(f"{url} answers with no JSON: {_clip(response.text)}") from error


def _clip(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:200]}…"


class ChatEndpoint:
    """``http://host:8000/v1``, asked by chat completions; ``#model`` after it names the model, if there are several."""

    def __init__(self, url: str) -> None:
        base, model = urldefrag(url)
        self._base = base.rstrip("/").removesuffix("/chat/completions")
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, headers=_bearer())
        self._model = model or self._only_model()
        self.name = f"{self._base}#{self._model}"

    def reply(self, question: str, history: Sequence[Message]) -> Reply:
        """Return its reply. Raises ReplyError, UnreachableError."""
        messages = [
            {"role": message.role, "content": message.text} for message in (*history, Message("user", question))
        ]
        url = f"{self._base}/chat/completions"
        body = _exchange(self._client, "POST", url, {"model": self._model, "messages": messages, "temperature": 0})
        try:
            message = body["choices"][0]["message"]
        except (KeyError, IndexError, TypeError) as error:
            raise ReplyError(f"{url} answers in another shape than a chat completion: `choices` is missing.") from error
        own = body.get("attest") or message.get("attest")
        text = _text(message.get("content"))
        citations = chat_citations(message, body)
        if citations is None:
            text, citations = split_references(text)
        return Reply(text, citations, answer=_answer(own) if own else None)

    def _only_model(self) -> str:
        """Return the only model that it serves. Raises RequestError if there are several, UnreachableError."""
        url = f"{self._base}/models"
        try:
            served = [str(each["id"]) for each in _exchange(self._client, "GET", url)["data"]]
        except (ReplyError, KeyError, TypeError) as error:
            raise UnreachableError(f"{url} lists no models: write {self._base}#MODEL to name one.") from error
        if len(served) != 1:
            listed = ", ".join(served[:5]) or "none"
            raise RequestError(f"{self._base} serves several models ({listed}): write {self._base}#MODEL to name one.")
        return served[0]


def _text(content: object) -> str:
    """Return a message's text, which may have several parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "")


def _answer(value: Any) -> Answer | None:  # noqa: ANN401 - JSON of any shape
    """Return Attest's answer object; None for that of another version of Attest."""
    try:
        return Answer.model_validate(value)
    except ValidationError:
        return None


class CitationPaths(Entry):
    """The paths of one source's parts."""

    name: str | None = None
    uri: str | None = None
    quote: str | None = None


def _address(given: str) -> str:
    if not given.startswith(("http://", "https://")):
        raise ValueError(f"`{given}` is no address: it begins with http:// or https://")
    return given


class EndpointMapping(Entry):
    """What to send, and the paths of the reply's parts: keys and positions in lists, separated by dots."""

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
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, headers=_bearer() | self._mapping.headers)
        self.name = self._mapping.url

    def reply(self, question: str, history: Sequence[Message]) -> Reply:
        """Return its reply. Raises ReplyError, UnreachableError."""
        mapping = self._mapping
        values = {
            "question": question,
            "history": [{"role": message.role, "content": message.text} for message in history],
        }
        url = mapping.url.replace("{question}", str(httpx.QueryParams({"q": question}))[2:])
        body = None if mapping.method == "GET" else _filled(mapping.body, values)
        found = _exchange(self._client, mapping.method, url, body)
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
    """Return the mapping in a file. Raises SuiteError with the line of the problem."""
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
    """Return the template with the expressions in braces filled in; a text that is only one becomes the value itself."""
    if isinstance(template, dict):
        return {name: _filled(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, values) for each in template]
    for name, value in values.items():
        if template == f"{{{name}}}":
            return value
    return template.replace("{question}", values["question"]) if isinstance(template, str) else template


def _at(value: Any, path: str | None) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return the value at a path such as ``choices.0.text``; None if there is none."""
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
