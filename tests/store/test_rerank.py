"""A cross-encoder can rerank results; it is off unless a setting names one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from store.errors import ModelError
from store.library import Library
from store.search.rerank import CrossEncoder, load_reranker
from store.settings import load_settings
from tests.store.building import HashingEmbedder, add, parsed

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "rice", "river", "forum", "mountain", "bridge", "market", "."]
TEXTS = ["rice river", "forum mountain bridge", "market rice", "river bridge forum", "mountain"]


def make(folder: Path, labels: int = 1) -> Path:
    """A small cross-encoder with random weights: what it says means nothing, but is always the same."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=special["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)  # type: ignore[no-untyped-call]
    torch.manual_seed(5)
    config = BertConfig(  # type: ignore[call-arg]  # its base class takes the labels
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.7,
        num_labels=labels,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("reranker"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        add(library, *(parsed(text, text) for text in TEXTS))
    return tmp_path / "home"


def test_hits_are_in_the_order_of_what_the_cross_encoder_says(home: Path, folder: Path) -> None:
    chances = dict(zip(TEXTS, CrossEncoder(folder).probabilities("rice forum", TEXTS), strict=True))
    assert len({round(chance, 6) for chance in chances.values()}) == len(TEXTS)
    with Library.open(load_settings(home, reranker=str(folder)), embedder=HashingEmbedder()) as library:
        found = library.search("rice forum", 3)
    assert [hit.text for hit in found.hits] == sorted(TEXTS, key=lambda text: -chances[text])[:3]
    assert [hit.rank for hit in found.hits] == [1, 2, 3]
    assert [hit.score for hit in found.hits] == pytest.approx([chances[hit.text] for hit in found.hits], abs=1e-5)
    assert found.timings_ms["rerank"] > 0


def test_without_the_setting_nothing_is_read_twice(home: Path) -> None:
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert "rerank" not in library.search("rice forum", 3).timings_ms


def test_sentences_of_what_it_prefers_are_raised(home: Path, folder: Path) -> None:
    with Library.open(home, embedder=HashingEmbedder()) as library:
        before = {hit.text: hit.sentences[0].score for hit in library.search("rice forum", 5).hits}
    with Library.open(load_settings(home, reranker=str(folder)), embedder=HashingEmbedder()) as library:
        raised = [hit.sentences[0].score - before[hit.text] for hit in library.search("rice forum", 5).hits]
    assert raised == sorted(raised, reverse=True)
    assert all(each >= 0 for each in raised)


def test_probabilities_don_t_depend_on_what_else_is_read(folder: Path) -> None:
    reranker = CrossEncoder(folder)
    together = reranker.probabilities("rice", TEXTS * 3)
    alone = [reranker.probabilities("rice", [text])[0] for text in TEXTS]
    assert together == pytest.approx(alone * 3, abs=1e-4)
    assert reranker.probabilities("rice", []) == []


def test_long_questions_and_passages_are_cut_to_what_the_model_reads(folder: Path) -> None:
    (chance,) = CrossEncoder(folder).probabilities("rice " * 5000, ["river " * 5000])
    assert 0 <= chance <= 1


def test_an_empty_library_needs_no_second_look(tmp_path: Path, folder: Path) -> None:
    with Library.open(load_settings(tmp_path, reranker=str(folder)), embedder=HashingEmbedder()) as library:
        assert library.search("rice").hits == ()


def test_a_classifier_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has 3 labels"):
        load_reranker(str(make(tmp_path, labels=3)))


def test_a_folder_without_weights_is_refused_in_one_sentence(tmp_path: Path, folder: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.safetensors"))
    assert json.loads((copy / "config.json").read_text())["model_type"] == "bert"
    with pytest.raises(ModelError, match=r"can't be loaded from .*OSError\)\.$"):
        load_reranker(str(copy))
