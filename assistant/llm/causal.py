"""Run a causal language model of the transformers library, by folder or name, on a GPU if there is one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any, cast

from llama_index.core.base.llms.types import ChatMessage
from pydantic import Field, PrivateAttr

from assistant.llm.base import BEAT_SECONDS, model_error
from assistant.llm.local import LocalLLM, turns_of
from store.extras import is_torch_installed


class CausalLLM(LocalLLM):
    """A model that transformers loads with `AutoModelForCausalLM`. It writes one answer at a time."""

    name: str = Field(description="A folder, or a name on the Hugging Face hub.")

    _model: Any = PrivateAttr(default=None)
    _tokenizer: Any = PrivateAttr(default=None)

    @classmethod
    def class_name(cls) -> str:
        """Return the name by which LlamaIndex knows this class."""
        return "CausalLLM"

    @property
    def short_name(self) -> str:
        """The model's name without its folder."""
        return self.name.rstrip("/").rsplit("/", 1)[-1]

    def load(self) -> None:
        """Load the model now instead of at its first use.

        Raises:
            LanguageModelError: it isn't there, has another type, or doesn't fit into memory.
        """
        with self._loading:
            if self._model is None:
                self._tokenizer, self._model = _load(self.name)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text` in the model's own vocabulary."""
        self.load()
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def write(self, messages: Sequence[ChatMessage], options: dict[str, object]) -> Iterator[str]:
        """Yield the reply piece by piece, and an empty piece after a while without one. Closing it stops the model."""
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

        stop = threading.Event()

        class Stopped(StoppingCriteria):
            def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **_: object) -> torch.BoolTensor:
                full = torch.full((input_ids.shape[0],), stop.is_set(), dtype=torch.bool, device=input_ids.device)
                return cast("torch.BoolTensor", full)

        prompt = self._prompt(turns_of(messages))
        inputs = self._tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to(self._model.device)
        streamer = TextIteratorStreamer(
            self._tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=BEAT_SECONDS
        )
        failures: list[Exception] = []

        def generate() -> None:
            try:
                with self._turn:
                    if not stop.is_set():
                        self._model.generate(
                            **inputs,
                            max_new_tokens=options.get("max_tokens", self.max_tokens),
                            do_sample=False,
                            streamer=streamer,
                            stopping_criteria=StoppingCriteriaList([Stopped()]),
                        )
            except Exception as error:  # any error must reach the reader, not the thread
                failures.append(error)
            finally:
                streamer.end()  # type: ignore[no-untyped-call]

        threading.Thread(target=generate, daemon=True, name="causal").start()
        try:
            yield from _pieces_of(streamer)
        finally:
            stop.set()
        if failures:
            raise model_error("model_broke_off", reason=type(failures[0]).__name__) from failures[0]

    def _prompt(self, turns: list[dict[str, str]]) -> str:
        if getattr(self._tokenizer, "chat_template", None):
            text: str = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            return text
        return "\n\n".join(turn["content"] for turn in turns) + "\n\n"


def _pieces_of(streamer: Iterator[str]) -> Iterator[str]:
    """Yield the output of a streamer, and an empty piece after a timeout."""
    while True:
        try:
            yield next(streamer)
        except queue.Empty:
            yield ""
        except StopIteration:
            return


def _load(name: str) -> tuple[Any, Any]:
    if not is_torch_installed():
        raise model_error("model_needs_torch", name=name)
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = "cuda" if torch.cuda.is_available() else "cpu"
        tokenizer = AutoTokenizer.from_pretrained(name)
        model: Any = AutoModelForCausalLM.from_pretrained(name, dtype="auto")
        model = model.to(device).eval()
    except (OSError, ValueError) as error:
        raise model_error("model_not_loaded", name=name) from error
    except (MemoryError, RuntimeError) as error:
        raise model_error("model_memory", name=name) from error
    return tokenizer, model
