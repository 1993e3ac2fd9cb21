"""Assistants that are not Attest: real HTTP servers, functions and engines, over the papers of the small library."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import regex
from llama_index.core import Document
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.response import Response
from llama_index.core.schema import NodeWithScore, QueryBundle

from evals.text import words
from tests.evals.small_system import PAPERS

SORRY = "I can't find anything on that in the documents."
Json = dict[str, Any]


def found(question: str) -> list[tuple[str, str]]:
    """Return (document, sentence) of the two sentences that share most words with a question."""
    asked = set(words(question))
    sentences = [
        (len(asked.intersection(words(sentence))), uri, sentence)
        for uri, (text, _) in PAPERS.items()
        for sentence in regex.findall(r"[^.]+\.", text)
    ]
    best = sorted((each for each in sentences if each[0] > 2), key=lambda each: -each[0])[:2]
    return [(uri, sentence.strip()) for _, uri, sentence in best]


def plain(question: str, history: Sequence[Json] = ()) -> str:
    """Answer without a source."""
    return found(question)[0][1] if found(question) else SORRY


def referenced(question: str) -> str:
    """Answer with markers, and a list of sources at the end."""
    listed = found(question)
    if not listed:
        return SORRY
    sources = "\n".join(f"[{number}] {uri}" for number, (uri, _) in enumerate(listed, 1))
    return f"{listed[0][1]} [1]\n\nSources:\n{sources}"


def mapped(question: str) -> Json:
    """Answer as a mapping with all that a function can tell."""
    listed = found(question)
    return {
        "answer": listed[0][1] if listed else SORRY,
        "answered": bool(listed),
        "confidence": 0.9 if listed else 0.1,
        "citations": [{"name": uri, "quote": sentence} for uri, sentence in listed[:1]],
        "ranking": [uri for uri, _ in listed],
    }


async def slow(question: str) -> str:
    """Answer as a coroutine."""
    return plain(question)


class SmallEngine(BaseQueryEngine):
    """A query engine of LlamaIndex over the same sentences."""

    def __init__(self) -> None:
        super().__init__(CallbackManager())

    def _query(self, query_bundle: QueryBundle) -> Response:
        listed = found(query_bundle.query_str)
        nodes = [
            NodeWithScore(node=Document(text=sentence, metadata={"file_path": f"/data/{uri}"}), score=1 / rank)
            for rank, (uri, sentence) in enumerate(listed, 1)
        ]
        return Response(listed[0][1] if listed else "Empty Response", source_nodes=nodes)

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return self._query(query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


engine = SmallEngine()


def make_engine() -> SmallEngine:
    """Return an engine: what `module:function` may name as well."""
    return SmallEngine()


def number() -> int:
    """Return what can't be asked."""
    return 7


def annotated(question: str) -> Json:
    """Return a chat message whose sources are OpenAI's annotations."""
    listed = found(question)
    text = listed[0][1] if listed else SORRY
    cited = {"type": "file_citation", "filename": listed[0][0], "file_id": "f", "index": 0} if listed else None
    return {"role": "assistant", "content": text, "annotations": [cited] if cited else []}


@contextmanager
def served(reply: Callable[[str, Json], tuple[int, object]], models: Sequence[str] = ("small",)) -> Iterator[str]:
    """Serve `reply` of (path, body) on a free port; yields the address. ``/v1/models`` lists `models`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, {"data": [{"id": name} for name in models]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*reply(self.path, body | {"_headers": dict(self.headers)}))

        def _send(self, status: int, value: object) -> None:
            content = value.encode() if isinstance(value, str) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def chat(message: Callable[[str], Json | str], **more: Any) -> Callable[[str, Json], tuple[int, object]]:
    """Return a chat endpoint that answers the last message."""

    def reply(path: str, body: Json) -> tuple[int, object]:
        if path != "/v1/chat/completions":
            return 404, {}
        made = message(body["messages"][-1]["content"])
        said = made if isinstance(made, dict) else {"role": "assistant", "content": made}
        return 200, {"choices": [{"index": 0, "message": said}], **more}

    return reply
