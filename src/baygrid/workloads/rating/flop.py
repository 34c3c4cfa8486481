"""The arithmetic of a network, counted in its graph: multiplications and additions of its convolutions and
matrix products, which are nearly all of it. So do those who publish such figures, though some count a
multiplication with its addition as one."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import onnx
from onnx import shape_inference

Shapes = Mapping[str, tuple[int, ...]]


def of(file: Path, **sizes: int) -> float:
    """FLOP of one run of the ONNX model in `file` on a batch of one. `sizes`: of dimensions that have a name;
    the others without a size are 1. Raises ValueError for a graph whose shapes it does not tell."""
    model = onnx.load(file)
    for port in model.graph.input:
        for size in port.type.tensor_type.shape.dim:
            if not size.HasField("dim_value"):
                size.dim_value = sizes.get(size.dim_param, 1)
    for port in model.graph.output:
        for size in port.type.tensor_type.shape.dim:
            size.ClearField("dim_value") if size.HasField("dim_param") else None
    inferred = shape_inference.infer_shapes(model, data_prop=True)
    graph = inferred.graph
    shapes = {item.name: tuple(item.dims) for item in graph.initializer}
    for item in (*graph.input, *graph.value_info, *graph.output):
        dims = item.type.tensor_type.shape.dim
        shapes[item.name] = tuple(it.dim_value if it.HasField("dim_value") else 1 for it in dims)
    return float(sum(_of_node(node, shapes) for node in graph.node))


def _of_node(node: Any, shapes: Shapes) -> int:
    if node.op_type not in ("Conv", "Gemm", "MatMul"):
        return 0
    try:
        left, right, out = shapes[node.input[0]], shapes[node.input[1]], shapes[node.output[0]]
    except KeyError as missing:
        raise ValueError(f"the graph does not tell the shape of {missing}") from None
    if node.op_type == "Conv":  # kernels are (out, in of a group, height, width)
        return 2 * prod(out) * prod(right[1:])
    transposed = any(it.name == "transA" and it.i for it in node.attribute)
    return 2 * prod(out) * (left[-2] if transposed else left[-1])
