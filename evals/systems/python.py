"""Ask Python objects: functions, and LlamaIndex's query and chat engines.

``module:name`` may be a function of the question, or of the question and the history; an engine; or a function without
parameters that makes one. A function returns a text, a mapping with ``answer`` and optional values (``citations``,
``answered``, ``confidence``, ``ranking``), or a LlamaIndex response.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.types import Answer, Message
from evals.systems.base import Citation, Reply, ReplyError
from evals.systems.citations import citation_of, split_references
from store.errors import RequestError

EMPTY = "Empty Response"
"""LlamaIndex's answer if it retrieved nothing."""


def load_object(spec: str) -> Any:  # noqa: ANN401 - whatever the module holds
    """Return the object ``module:name``. Raises RequestError if it doesn't exist."""
    module, _, name = spec.partition(":")
    if (folder := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, folder)
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        raise RequestError(f"`{spec}` can't be loaded: there is no module {error.name}.") from error
    except AttributeError as error:
        raise RequestError(f"`{spec}` can't be loaded: {error}.") from error
    return found


def python_replier(spec: str) -> PythonCallable | Engine:
    """Return a replier for ``module:name``. Raises RequestError if it can't be asked."""
    return replier_of(load_object(spec), spec)


def replier_of(found: Any, name: str) -> PythonCallable | Engine:  # noqa: ANN401 - whatever a module holds
    """Return a replier for a function or an engine. Raises RequestError for anything else."""
    if not _is_engine(found) and callable(found) and not _parameters(found):
        found = found()
    if _is_engine(found):
        return Engine(found, name)
    if callable(found):
        return PythonCallable(found, name)
    raise RequestError(f"`{name}` is neither a function nor an engine of LlamaIndex.")


class PythonCallable:
    """A function of a question, or of a question and the history in OpenAI's form."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self.name = function, name
        self._takes_history = len(_parameters(function)) > 1

    def reply(self, question: str, history: Sequence[Message]) -> Reply:
        """Return the function's result as a reply. Raises ReplyError for another type, and the function's errors."""
        said = [{"role": message.role, "content": message.text} for message in history]
        value = self._function(question, said) if self._takes_history else self._function(question)
        if inspect.isawaitable(value):
            value = asyncio.run(_awaited(value))
        return reply_of(value, self.name)


class Engine:
    """A query engine or chat engine of LlamaIndex: its source nodes are its sources and its ranking."""

    def __init__(self, engine: Any, name: str) -> None:  # noqa: ANN401 - LlamaIndex is not imported for its type
        self._engine, self.name = engine, name

    def reply(self, question: str, history: Sequence[Message]) -> Reply:
        """Return its response. A query engine has no memory, so it is asked each question alone."""
        if not hasattr(self._engine, "chat"):
            return reply_of(self._engine.query(question), self.name)
        from llama_index.core.llms import ChatMessage

        said = [ChatMessage(role=message.role, content=message.text) for message in history]
        return reply_of(self._engine.chat(question, chat_history=said), self.name)


def reply_of(value: Any, name: str) -> Reply:  # noqa: ANN401 - whatever a function returns
    """Return a function's result as a reply. Raises ReplyError for an unsupported type."""
    if isinstance(value, Reply):
        return value
    if isinstance(value, Answer):
        return Reply(value.text, answer=value)
    if isinstance(value, str):
        text, citations = split_references(value)
        return Reply(text, citations)
    if hasattr(value, "source_nodes"):
        nodes = tuple(_node(each) for each in value.source_nodes)
        text = str(getattr(value, "response", None) or value)
        return Reply(text, nodes, answered=text.strip() != EMPTY, ranking=tuple(dict.fromkeys(nodes)))
    if isinstance(value, Mapping) and isinstance(text := value.get("answer", value.get("text")), str):
        listed = {key: value.get(key) for key in ("citations", "ranking")}
        found = {key: None if each is None else tuple(map(citation_of, each)) for key, each in listed.items()}
        answered, confidence = value.get("answered"), value.get("confidence")
        return Reply(text, found["citations"], answered, confidence, found["ranking"])
    raise ReplyError(f"`{name}` returned a {type(value).__name__}: return a text, or a mapping with `answer`.")


def _node(scored: Any) -> Citation:  # noqa: ANN401 - LlamaIndex's NodeWithScore
    metadata = scored.node.metadata
    name = next((str(metadata[key]) for key in ("file_name", "title", "name") if metadata.get(key)), "")
    uri = next((str(metadata[key]) for key in ("uri", "url", "file_path", "source") if metadata.get(key)), "")
    return Citation(name=name or str(scored.node.ref_doc_id or ""), uri=uri)


def _is_engine(found: object) -> bool:
    return not inspect.isclass(found) and (hasattr(found, "query") or hasattr(found, "chat"))


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    kinds = inspect.Parameter
    positional = {kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD, kinds.VAR_POSITIONAL}
    return [each for each in inspect.signature(function).parameters.values() if each.kind in positional]


async def _awaited(value: Any) -> Any:  # noqa: ANN401 - whatever a coroutine returns
    return await value
