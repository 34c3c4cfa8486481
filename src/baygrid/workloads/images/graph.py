"""EfficientNet-Lite0 as an ONNX graph, node by node: bytes of pictures in, ImageNet logits and features out.

The network: Tan and Le, EfficientNet, ICML 2019; Lite is without squeeze-and-excitation, with ReLU6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference
from onnx.utils import Extractor

SIDE: Final = 224  # pixels of height and width
MEAN, SPREAD = 127.0, 128.0  # of a byte, as the model was trained
EPSILON: Final = 1e-3  # of its batch normalisation

STAGES: Final = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
"""(blocks, stride of the first) in each of the seven stages; kernels and channels are as the weights say."""

HALFWAY: Final = "add_19"
"""What the second stage gives: float32 (batch, 24, 56, 56)."""

Weights = Mapping[str, NDArray[Any]]


@dataclass
class _Builder:
    """The graph so far. `side` is the height and width, in pixels, of what the last convolution gave."""

    weights: Weights
    side: int = SIDE
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, values: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def convolution(self, x: str, name: str, norm: str, stride: int = 1, depthwise: bool = False) -> str:
        """A convolution with its batch normalisation; an odd pixel of padding goes right and below."""
        kernel = self.weights[f"{name}.weight"]
        scale = self.weights[f"{norm}.weight"] / np.sqrt(self.weights[f"{norm}.running_var"] + EPSILON)
        shift = self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * scale
        size, side = kernel.shape[2], -(-self.side // stride)
        padding = max((side - 1) * stride + size - self.side, 0)
        before, self.side = padding // 2, side
        return self.node(
            "Conv", x,
            self.constant(f"{name}.weight", kernel * scale[:, None, None, None]),
            self.constant(f"{name}.bias", shift),
            kernel_shape=[size, size], strides=[stride, stride],
            pads=[before, before, padding - before, padding - before],
            group=kernel.shape[0] if depthwise else 1,
        )  # fmt: skip

    def relu6(self, x: str) -> str:
        return self.node("Clip", x, "zero", "six")

    def block(self, x: str, number: int, stride: int) -> str:
        """An inverted bottleneck: widen (all but the first block), filter each channel by itself, narrow."""
        name = f"_blocks.{number}"
        if f"{name}._expand_conv.weight" in self.weights:
            x = self.relu6(self.convolution(x, f"{name}._expand_conv", f"{name}._bn0"))
        x = self.relu6(self.convolution(x, f"{name}._depthwise_conv", f"{name}._bn1", stride, depthwise=True))
        return self.convolution(x, f"{name}._project_conv", f"{name}._bn2")


def build(weights: Weights) -> onnx.ModelProto:
    """The model: `images` is uint8 (batch, 224, 224, 3) RGB; `logits` is float32 (batch, 1000), `features`,
    of which they are made, (batch, 1280)."""
    graph = _Builder(weights)
    for name, value in (("mean", MEAN), ("scale", 1 / SPREAD), ("zero", 0.0), ("six", 6.0)):
        graph.constant(name, np.array(value))
    x = graph.node("Cast", "images", to=TensorProto.FLOAT)
    x = graph.node("Mul", graph.node("Sub", x, "mean"), "scale")
    x = graph.node("Transpose", x, perm=[0, 3, 1, 2])
    x = graph.relu6(graph.convolution(x, "_conv_stem", "_bn0", stride=2))
    number = 0
    for blocks, stride in STAGES:
        for position in range(blocks):
            after = graph.block(x, number, stride if position == 0 else 1)
            x = graph.node("Add", after, x) if position else after  # a stage's first block changes the shape
            number += 1
    x = graph.relu6(graph.convolution(x, "_conv_head", "_bn1"))
    x = graph.node("GlobalAveragePool", x)
    graph.nodes.append(helper.make_node("Flatten", [x], ["features"], name="features"))
    fc = graph.constant("_fc.weight", weights["_fc.weight"]), graph.constant("_fc.bias", weights["_fc.bias"])
    graph.nodes.append(helper.make_node("Gemm", ["features", *fc], ["logits"], name="logits", transB=1))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", SIDE, SIDE, 3])],
            [
                helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1000]),
                helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 1280]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="baygrid",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def halved(file: Path) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """What `build` made, as one model from pictures to HALFWAY, and one from there on."""
    whole = Extractor(shape_inference.infer_shapes(onnx.load(file)))
    return (
        whole.extract_model(["images"], [HALFWAY]),
        whole.extract_model([HALFWAY], ["logits", "features"]),
    )
