"""A transformers model works from its folder: a tiny one, made here, with random weights but everything else real."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from assistant.llm.base import counter_of, stream_text
from assistant.llm.causal import CausalLLM
from assistant.llm.registry import load_model
from store.errors import LanguageModelError
from store.settings import load_settings

SEED = 0
"""Of the model's weights: with others it may say nothing but special tokens, which are no text."""
ASK = [ChatMessage(role="user", content="hello world")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    path = tmp_path_factory.mktemp("models") / "tiny"
    words = {word: number for number, word in enumerate(["<unk>", "<eos>", "hello", "world", "forum", "แม่น้ำ"])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    fast: Any = PreTrainedTokenizerFast
    fast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(path)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8192,
        eos_token_id=None,
        pad_token_id=1,
    )
    torch.manual_seed(SEED)
    LlamaForCausalLM(config).save_pretrained(path)
    return path


def test_it_streams_and_stops_at_the_budget(folder: Path) -> None:
    llm = CausalLLM(name=str(folder))
    text = "".join(stream_text(llm, ASK, max_tokens=5))
    assert 1 <= len(text.split()) <= 5
    assert counter_of(llm)("hello forum") == 2


def test_who_stops_reading_frees_the_model(folder: Path) -> None:
    llm = CausalLLM(name=str(folder))
    llm.load()
    generate, begun, written = llm._model.generate, threading.Event(), []

    def count(**options: object) -> object:
        begun.set()
        tokens = generate(**options)
        written.append(tokens.shape[1])
        return tokens

    llm._model.generate = count
    pieces = stream_text(llm, ASK, max_tokens=8000)
    while not begun.is_set():  # Empty pieces come before the model has begun.
        next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    for _ in stream_text(llm, ASK, max_tokens=1):  # a model of random weights may say a special token, which is no text
        pass
    # The second begins when the first has ended; its own end may come a moment later.
    assert written[0] < 8000


def test_the_settings_reach_it_by_its_folder(folder: Path, tmp_path: Path) -> None:
    assert isinstance(load_model(load_settings(tmp_path, model=str(folder))), CausalLLM)


def test_a_folder_that_holds_something_else_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(LanguageModelError, match="could be loaded"):
        CausalLLM(name=str(tmp_path)).load()
