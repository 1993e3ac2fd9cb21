"""Run a GGUF file in this process with xllamacpp (llama.cpp).

It writes one answer at a time; others wait for their turn. It keeps the prompt's beginning between answers, so that
the unchanged part costs nothing again.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from pydantic import Field, PrivateAttr

from assistant.llm.base import BEAT_SECONDS, model_error
from assistant.llm.local import LocalLLM, turns_of
from store.processors import processors

BATCH = 64
"""Tokens to read before checking again whether the answer is still wanted: few enough to stop within a second or two on
two cores, and as fast as larger batches there."""
QUOTE_TOKENS = 180
"""The most tokens of quotes in a prompt: two cores read them in about three seconds."""
CACHE_MEGABYTES = 64
"""For the beginnings of earlier prompts; the library's default is eight gigabytes."""
SPINS = "20000"
"""How often a thread checks whether the others are ready before it sleeps; OpenMP reads it when the library loads.
OpenMP's default, 300,000, made writing ten times slower on two cores that two other programs used too. Without spinning
it was a quarter slower on idle cores. This value is within a tenth of the best in both cases."""

_DONE = object()


class GgufLLM(LocalLLM):
    """A model in a GGUF file. Loading takes seconds and happens on first use, or by `load`."""

    path: str = Field(description="The GGUF file.")
    threads: int = Field(default_factory=processors)
    temperature: float = 0.0
    quote_tokens: int = Field(default=QUOTE_TOKENS, description="The most tokens of quotes in a prompt.")

    _server: Any = PrivateAttr(default=None)
    _key: str = PrivateAttr(default_factory=lambda: secrets.token_hex(16))
    _spent: dict[str, float] = PrivateAttr(default_factory=dict)

    @classmethod
    def class_name(cls) -> str:
        """Return the name by which LlamaIndex knows this class."""
        return "GgufLLM"

    @property
    def short_name(self) -> str:
        """The model's name without its folder."""
        return Path(self.path).stem

    def load(self) -> None:
        """Load the file now.

        Raises:
            LanguageModelError: xllamacpp or the file is missing, the file has another format, or memory is
                insufficient.
        """
        with self._loading:
            if self._server is None:
                self._server = _serve(self)

    @property
    def spent(self) -> dict[str, float]:
        """llama.cpp's own counts for the latest answer: ``prompt_n``, ``predicted_ms`` and so on; empty if it was stopped."""
        return self._spent

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text` in the model's own vocabulary."""
        self.load()
        request = urllib.request.Request(  # noqa: S310 - our own server in this process
            f"{self._server.listening_address}/tokenize",
            data=json.dumps({"content": text}).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            return len(json.load(reply)["tokens"])

    def write(self, messages: Sequence[ChatMessage], options: dict[str, object]) -> Iterator[str]:
        """Yield the reply piece by piece, and an empty piece after a while without one. Closing it stops the model."""
        request = {
            "messages": turns_of(messages),
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "stream": True,
            "return_progress": True,
            "cache_prompt": True,
            **options,
        }
        chunks: queue.Queue[Any] = queue.Queue()
        stop = threading.Event()
        worker = threading.Thread(target=self._generate, args=(request, chunks, stop), daemon=True, name="gguf")
        worker.start()
        try:
            while (chunk := _next(chunks)) is not _DONE:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            stop.set()

    def _generate(self, request: dict[str, Any], chunks: queue.Queue[Any], stop: threading.Event) -> None:
        def take(chunk: dict[str, Any]) -> bool:
            if "error" in chunk or "code" in chunk:
                detail = chunk.get("error", chunk)
                message = detail.get("message", "") if isinstance(detail, dict) else str(detail)
                chunks.put(model_error("model_broke_off", reason=message or "unknown error"))
            if "timings" in chunk:
                self._spent = dict(chunk["timings"])
            for choice in chunk.get("choices") or ():
                if piece := (choice.get("delta") or {}).get("content"):
                    chunks.put(piece)
            return stop.is_set()

        try:
            with self._turn:
                if not stop.is_set():
                    self._spent = {}
                    self._server.handle_chat_completions(request, take)
        except Exception as error:  # any error of the library must reach the reader, not the thread
            chunks.put(model_error("model_broke_off", reason=type(error).__name__))
        finally:
            chunks.put(_DONE)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a while, unless the user has set it."""
    before = os.environ.get(name)
    os.environ.setdefault(name, value)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def _next(chunks: queue.Queue[Any]) -> Any:  # noqa: ANN401 - text, an exception or the end
    try:
        return chunks.get(timeout=BEAT_SECONDS)
    except queue.Empty:
        return ""


def _serve(llm: GgufLLM) -> Any:  # noqa: ANN401 - the library has no types
    try:
        # Respect the user's own setting for OpenMP.
        with nullcontext() if "OMP_WAIT_POLICY" in os.environ else _environment("GOMP_SPINCOUNT", SPINS):
            import xllamacpp  # type: ignore[import-untyped]
    except ImportError as error:
        raise model_error("model_runtime") from error
    path = Path(llm.path).expanduser()
    if not path.is_file():
        raise model_error("model_missing", path=path)
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise model_error("model_format", path=path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = llm.context_window
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = llm.threads
    params.verbosity = 0
    params.warmup = False
    params.cache_ram_mib = CACHE_MEGABYTES
    # The library always listens on a local port as well: use any free one, and require the key.
    params.port = 0
    params.api_keys = [llm._key]
    try:
        return xllamacpp.Server(params)
    except Exception as error:
        needed = f"{path.stat().st_size * 1.3 / 2**30:.1f} GiB"
        raise model_error("model_memory", name=f"{path.name} ({needed})") from error
