"""A TensorFlow graph as ONNX, operation by operation, as far as detectors of pictures need it.

TensorFlow keeps the colours last (NHWC), ONNX wants them second, and graphs that were made from ONNX are full
of turns between the two. No turn is written here until it is needed: a value is remembered as an ONNX tensor
and the order of its axes, and a turn of a turn is just another order. What depends on constants only is
computed on the spot. The operations: tensorflow.org/api_docs/python/tf/raw_ops and onnx.ai/onnx/operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from baygrid.workloads.models import ModelRefused
from baygrid.workloads.models.tfjs import Graph, Node

OPSET: Final = 18  # the first whose Resize and Pad take axes

TO_PLANES: Final = (0, 3, 1, 2)
"""NHWC as NCHW."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Value:
    """TensorFlow's tensor is the ONNX tensor `name` with its axes in this `order` (None: as they are)."""

    name: str
    order: tuple[int, ...] | None = None

    def turned(self, axes: tuple[int, ...]) -> _Value:
        order = axes if self.order is None else tuple(self.order[axis] for axis in axes)
        return _Value(self.name, None if order == tuple(range(len(order))) else order)

    def axis(self, axis: int, rank: int = 4) -> int:
        """Where the ONNX tensor has TensorFlow's axis."""
        axis %= rank
        return axis if self.order is None else self.order[axis]


@dataclass
class Conversion:
    """The ONNX graph so far. `input`: the ONNX tensor that TensorFlow's only placeholder is."""

    graph: Graph
    input: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    _values: dict[str, _Value] = field(default_factory=dict)
    _known: dict[str, Array] = field(default_factory=dict)

    def run(self) -> Conversion:
        """Raises ModelRefused for an operation that is not known here, by its name."""
        self._known.update(self.graph.tensors)
        for node in self.graph.nodes:
            self._convert(node)
        for name in self.graph.outputs:
            self.nodes.append(
                helper.make_node("Identity", [self._plain(self._values[name])], [name], name=name)
            )
        return self

    def add(self, kind: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> list[str]:
        names = [f"{kind.lower()}_{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name=names[0], **attributes))
        return names

    def constant(self, values: Array) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _convert(self, node: Node) -> None:
        if node.operation == "Const":
            return
        if node.operation == "Placeholder":
            self._values[node.name] = _Value(self.input)
            return
        if node.operation in _COMPUTED and all(name in self._known for name in node.inputs):
            self._known[node.name] = _COMPUTED[node.operation](*(self._known[name] for name in node.inputs))
            return
        if node.operation not in _OPERATIONS:
            raise ModelRefused(f"{node.name}: the operation {node.operation} cannot be converted")
        found = _OPERATIONS[node.operation](self, node)
        for number, value in enumerate(found):
            self._values[f"{node.name}:{number}" if number else node.name] = value

    def _plain(self, value: _Value) -> str:
        """The ONNX tensor with its axes as TensorFlow has them."""
        if value.order is None:
            return value.name
        return self.add("Transpose", [value.name], perm=list(value.order))[0]

    def _planes(self, name: str) -> str:
        """The ONNX tensor of a picture, NCHW."""
        return self._plain(self._values[name].turned(TO_PLANES))

    def _pictures(self, name: str) -> tuple[_Value, ...]:
        """An NCHW tensor as TensorFlow's picture, NHWC."""
        return (_Value(name).turned((0, 2, 3, 1)),)

    def _conv(self, node: Node) -> tuple[_Value, ...]:
        _is(node, "data_format", "NHWC")
        _is(node, "padding", "VALID")
        if node.attributes.get("dilations") and set(node.integers("dilations")) != {1}:
            raise ModelRefused(f"{node.name}: dilated convolutions cannot be converted")
        _, down, across, _ = node.integers("strides")
        kernel = self._known[node.inputs[1]].transpose(3, 2, 0, 1)  # HWIO as OIHW
        inputs = [self._planes(node.inputs[0]), self.constant(kernel)]
        return self._pictures(self.add("Conv", inputs, strides=[down, across])[0])

    def _pool(self, node: Node) -> tuple[_Value, ...]:
        _is(node, "data_format", "NHWC")
        _is(node, "padding", "VALID")
        _, high, wide, _ = node.integers("ksize")
        _, down, across, _ = node.integers("strides")
        planes = [self._planes(node.inputs[0])]
        return self._pictures(
            self.add("MaxPool", planes, kernel_shape=[high, wide], strides=[down, across])[0]
        )

    def _pad(self, node: Node) -> tuple[_Value, ...]:
        """With zeros, or with the constant that PadV2 names."""
        value = self._values[node.inputs[0]]
        widths = self._known[node.inputs[1]]
        pads = np.zeros((len(widths), 2), np.int64)
        for axis, (before, after) in enumerate(widths):
            pads[value.axis(axis, len(widths))] = before, after
        filling = self._known[node.inputs[2]] if len(node.inputs) > 2 else np.float32(0)
        inputs = [value.name, self.constant(pads.T.reshape(-1)), self.constant(np.asarray(filling))]
        return (_Value(self.add("Pad", inputs)[0], value.order),)

    def _turn(self, node: Node) -> tuple[_Value, ...]:
        return (self._values[node.inputs[0]].turned(tuple(self._known[node.inputs[1]].tolist())),)

    def _sum(self, node: Node) -> tuple[_Value, ...]:
        """Of two alike, or of a picture and a number for each of its colours."""
        one, other = node.inputs
        value = self._values[one]
        if other in self._known:
            numbers = self._known[other]
            shape = [1, 1, 1, 1]
            shape[value.axis(-1)] = numbers.size
            return (
                _Value(self.add("Add", [value.name, self.constant(numbers.reshape(shape))])[0], value.order),
            )
        second = self._values[other]
        if second.order == value.order:
            return (_Value(self.add("Add", [value.name, second.name])[0], value.order),)
        return (_Value(self.add("Add", [self._plain(value), self._plain(second)])[0]),)

    def _join(self, node: Node) -> tuple[_Value, ...]:
        *names, axis = node.inputs
        values = [self._values[name] for name in names]
        if len({value.order for value in values}) > 1:
            values = [_Value(self._plain(value)) for value in values]
        where = values[0].axis(int(self._known[axis]))
        return (_Value(self.add("Concat", [value.name for value in values], axis=where)[0], values[0].order),)

    def _split(self, node: Node) -> tuple[_Value, ...]:
        value = self._values[node.inputs[0]]
        sizes, axis = self._known[node.inputs[1]], self._known[node.inputs[2]]
        inputs = [value.name, self.constant(sizes.astype(np.int64))]
        parts = self.add("Split", inputs, len(sizes), axis=value.axis(int(axis)))
        return tuple(_Value(part, value.order) for part in parts)

    def _resize(self, node: Node) -> tuple[_Value, ...]:
        if node.attributes.get("align_corners", {}).get("b"):
            raise ModelRefused(f"{node.name}: resizing with aligned corners cannot be converted")
        half = node.attributes.get("half_pixel_centers", {}).get("b")
        size = self.constant(self._known[node.inputs[1]].astype(np.int64))
        resized = self.add(
            "Resize", [self._planes(node.inputs[0]), "", "", size], mode="linear", axes=[2, 3],
            coordinate_transformation_mode="half_pixel" if half else "asymmetric",
        )  # fmt: skip
        return self._pictures(resized[0])

    def _reshape(self, node: Node) -> tuple[_Value, ...]:
        """A first size of one is that of the batch (0 in ONNX), of which there may be more."""
        shape = self._known[node.inputs[1]].astype(np.int64).copy()
        shape[0] = 0 if shape[0] == 1 else shape[0]
        value = self._plain(self._values[node.inputs[0]])
        return (_Value(self.add("Reshape", [value, self.constant(shape)])[0]),)

    def _each(self, kind: str, node: Node, **attributes: Any) -> tuple[_Value, ...]:
        value = self._values[node.inputs[0]]
        return (_Value(self.add(kind, [value.name], **attributes)[0], value.order),)


def model(
    conversion: Conversion, inputs: Mapping[str, tuple[int, tuple[str | int, ...]]], name: str
) -> onnx.ModelProto:
    """The whole, checked. `inputs`: ONNX's type and the sizes of each."""
    outputs = [
        helper.make_tensor_value_info(each, TensorProto.FLOAT, None) for each in conversion.graph.outputs
    ]
    graph = helper.make_graph(
        conversion.nodes,
        name,
        [helper.make_tensor_value_info(each, kind, list(sizes)) for each, (kind, sizes) in inputs.items()],
        outputs,
        conversion.constants,
    )
    opset = [helper.make_opsetid("", OPSET)]
    whole = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="baygrid")
    whole = onnx.shape_inference.infer_shapes(whole, strict_mode=True)
    onnx.checker.check_model(whole, full_check=True)
    return whole


def _is(node: Node, key: str, word: str) -> None:
    if (found := node.text(key)) != word:
        raise ModelRefused(f"{node.name}: {key} is {found}, and only {word} can be converted")


def _dense(indices: Array, shape: Array, values: Array, otherwise: Array) -> Array:
    """SparseToDense: `values` at these places, `otherwise` elsewhere."""
    found = np.full(np.atleast_1d(shape), otherwise)
    found[tuple(indices.T)] = values
    return found


_COMPUTED: Final[Mapping[str, Callable[..., Array]]] = {
    "Add": np.add,
    "AddV2": np.add,
    "SparseToDense": _dense,
}

_OPERATIONS: Final[Mapping[str, Callable[[Conversion, Node], tuple[_Value, ...]]]] = {
    "Add": Conversion._sum,
    "AddV2": Conversion._sum,
    "ConcatV2": Conversion._join,
    "Conv2D": Conversion._conv,
    "Identity": lambda conversion, node: (conversion._values[node.inputs[0]],),
    "LeakyRelu": lambda conversion, node: conversion._each(
        "LeakyRelu", node, alpha=float(node.attributes["alpha"]["f"])
    ),
    "MaxPool": Conversion._pool,
    "Pad": Conversion._pad,
    "PadV2": Conversion._pad,
    "Reshape": Conversion._reshape,
    "ResizeBilinear": Conversion._resize,
    "Sigmoid": lambda conversion, node: conversion._each("Sigmoid", node),
    "SplitV": Conversion._split,
    "Transpose": Conversion._turn,
}
