"""Share code of models in this process: one answer at a time, written piece by piece, stopped by closing it."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Iterator, Sequence

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms import CustomLLM
from pydantic import Field, PrivateAttr


class LocalLLM(CustomLLM):
    """A language model in this process. A subclass loads it and writes pieces; this class is the interface for LlamaIndex."""

    context_window: int = Field(default=4096, description="Tokens of prompt and answer together.")
    max_tokens: int = Field(default=256, description="The most tokens of one answer.")

    _loading: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _turn: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    @abstractmethod
    def short_name(self) -> str:
        """The model's name without its folder."""

    @abstractmethod
    def load(self) -> None:
        """Load the model now instead of at its first use."""

    @abstractmethod
    def write(self, messages: Sequence[ChatMessage], options: dict[str, object]) -> Iterator[str]:
        """Yield the reply piece by piece, and an empty piece after a while without one. Closing it stops the model."""

    @property
    def metadata(self) -> LLMMetadata:
        """The metadata that LlamaIndex needs from every model."""
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_tokens,
            is_chat_model=True,
            model_name=self.short_name,
        )

    def stream_chat(self, messages: Sequence[ChatMessage], **options: object) -> ChatResponseGen:
        """Yield the reply piece by piece. Closing the generator stops the model."""
        self.load()

        def replies() -> ChatResponseGen:
            text = ""
            for piece in self.write(messages, options):
                text += piece
                yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=piece)

        return replies()

    def chat(self, messages: Sequence[ChatMessage], **options: object) -> ChatResponse:
        """Return the whole reply."""
        text = "".join(reply.delta or "" for reply in self.stream_chat(messages, **options))
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text))

    def complete(self, prompt: str, formatted: bool = False, **options: object) -> CompletionResponse:
        """Return the reply to one user message."""
        reply = self.chat([ChatMessage(role=MessageRole.USER, content=prompt)], **options)
        return CompletionResponse(text=reply.message.content or "")

    def stream_complete(self, prompt: str, formatted: bool = False, **options: object) -> CompletionResponseGen:
        """Yield the reply to one user message, piece by piece."""
        for reply in self.stream_chat([ChatMessage(role=MessageRole.USER, content=prompt)], **options):
            yield CompletionResponse(text=reply.message.content or "", delta=reply.delta)


def turns_of(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    """Return messages in the form that chat templates and servers use."""
    return [{"role": str(each.role.value), "content": each.content or ""} for each in messages]
