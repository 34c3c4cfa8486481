"""Reads TensorFlow.js graph models (a JSON of the graph beside a file of numbers) without TensorFlow.

Format: tfjs-converter's `model.json`, whose `modelTopology` is a GraphDef in protobuf's JSON and whose
`weightsManifest` names each tensor's type and shape in the order of the files' bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.models import ModelRefused

Tensor = NDArray[Any]

TYPES: Final = {
    "float32": "<f4", "float16": "<f2", "int32": "<i4", "uint16": "<u2", "uint8": "|u1", "bool": "|b1",
}  # fmt: skip

DAMAGE: Final = (AttributeError, LookupError, TypeError, ValueError)
"""What reading a file that is no model ends in."""


@dataclass(frozen=True, slots=True)
class Node:
    """An operation of TensorFlow. An input's name may end in `:1` for an operation's second output."""

    name: str
    operation: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    """As in protobuf's JSON: see `integers`, `text`."""

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of numbers such as strides."""
        return tuple(int(number) for number in self.attributes[key]["list"].get("i", ()))

    def text(self, key: str) -> str:
        """A word such as "VALID" (bytes in protobuf, base64 in its JSON)."""
        return base64.b64decode(self.attributes[key]["s"]).decode()


@dataclass(frozen=True, slots=True)
class Graph:
    """Operations in an order in which each follows its inputs' (placeholders and constants among them), the
    constants' values, and the names of the outputs in the order the file gives."""

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: tuple[str, ...]


def read(model: Path) -> Graph:
    """The graph of a `model.json`, with the numbers of the files beside it; ModelRefused for other files."""
    try:
        written = json.loads(model.read_bytes())
        nodes = tuple(
            Node(node["name"], node["op"], tuple(node.get("input", ())), node.get("attr", {}))
            for node in written["modelTopology"]["node"]
        )
        inputs = {
            node.name: tuple(int(size["size"]) for size in node.attributes["shape"]["shape"]["dim"])
            for node in nodes
            if node.operation == "Placeholder"
        }
        outputs = tuple(name.removesuffix(":0") for name in sorted(written["signature"]["outputs"]))
        tensors: dict[str, Tensor] = {}
        for group in written["weightsManifest"]:
            data = b"".join((model.parent / Path(name).name).read_bytes() for name in group["paths"])
            tensors |= _tensors(group["weights"], data)
    except DAMAGE as wrong:
        raise ModelRefused(f"{model.name} is not a TensorFlow.js graph model: {wrong}") from wrong
    return Graph(_ordered(nodes), tensors, inputs, outputs)


def _tensors(described: list[dict[str, Any]], data: bytes) -> dict[str, Tensor]:
    """Each tensor in its own type; one kept in fewer bits is put back into it (value * scale + min)."""
    found: dict[str, Tensor] = {}
    offset = 0
    for one in described:
        how = one.get("quantization", {})
        kept = np.dtype(TYPES[how.get("dtype", one["dtype"])])
        count = prod(one["shape"])
        values: Tensor = np.frombuffer(data, kept, count, offset).reshape(one["shape"])
        offset += count * kept.itemsize
        if "scale" in how:
            values = values.astype(np.float32) * np.float32(how["scale"]) + np.float32(how["min"])
        found[one["name"]] = values.astype(TYPES[one["dtype"]], copy=False)
    if offset != len(data):
        raise ValueError(f"{len(data)} bytes of numbers, where {offset} are described")
    return found


def _ordered(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The nodes so that each follows those it takes from; the file's order is kept as far as that allows."""
    names = {node.name for node in nodes}
    done: set[str] = set()
    ordered: list[Node] = []
    waiting = list(nodes)
    while waiting:
        later: list[Node] = []
        for node in waiting:
            if all(source in done or source not in names for source in map(_producer, node.inputs)):
                ordered.append(node)
                done.add(node.name)
            else:
                later.append(node)
        if len(later) == len(waiting):
            raise ModelRefused(f"{later[0].name} takes from itself")
        waiting = later
    return tuple(ordered)


def _producer(name: str) -> str:
    return name.partition(":")[0]
