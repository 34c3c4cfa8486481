"""TensorFlow.js graph models: numbers come out right, and damage is named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baygrid.workloads.models import ModelRefused, tfjs

NODES = [
    {"name": "Sum", "op": "Add", "input": ["x", "bias"], "attr": {"T": {"type": "DT_FLOAT"}}},
    {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": [{"size": "1"}, {"size": "3"}]}}}},
    {"name": "bias", "op": "Const", "attr": {}},
    {"name": "Crop", "op": "Slice", "input": ["Sum:1"],
     "attr": {"padding": {"s": "VkFMSUQ="}, "strides": {"list": {"i": ["1", "2"]}}}},
]  # fmt: skip
HALF = {"dtype": "float16", "original_dtype": "float32"}
WEIGHTS = [
    {"name": "bias", "shape": [3], "dtype": "float32", "quantization": HALF},
    {"name": "axis", "shape": [], "dtype": "int32"},
    {"name": "few", "shape": [2], "dtype": "float32",
     "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}},
    {"name": "none", "shape": [0, 1], "dtype": "float32"},
]  # fmt: skip
DATA = np.array([1, -2, 0.5], np.float16).tobytes() + np.int32(7).tobytes() + bytes([0, 4])


def written(folder: Path, data: bytes = DATA, **changed: Any) -> Path:
    model = {
        "signature": {"outputs": {"Sum_1:0": {}, "Sum:0": {}}},
        "modelTopology": {"node": NODES},
        "weightsManifest": [{"paths": ["model.bin"], "weights": WEIGHTS}],
    } | changed
    (folder / "model.bin").write_bytes(data)
    (folder / "model.json").write_text(json.dumps(model))
    return folder / "model.json"


def test_numbers_come_back_in_their_own_type(tmp_path: Path):
    graph = tfjs.read(written(tmp_path))
    assert {name: values.tolist() for name, values in graph.tensors.items()} == {
        "bias": [1, -2, 0.5], "axis": 7, "few": [-1, 1], "none": [],
    }  # fmt: skip
    assert [str(values.dtype) for values in graph.tensors.values()] == [
        "float32",
        "int32",
        "float32",
        "float32",
    ]
    assert graph.inputs == {"x": (1, 3)}
    assert graph.outputs == ("Sum", "Sum_1")


def test_every_node_comes_after_what_it_takes(tmp_path: Path):
    graph = tfjs.read(written(tmp_path))
    names = [node.name for node in graph.nodes]
    assert sorted(names) == ["Crop", "Sum", "bias", "x"]
    assert max(names.index("x"), names.index("bias")) < names.index("Sum") < names.index("Crop")
    crop = next(node for node in graph.nodes if node.name == "Crop")
    assert (crop.text("padding"), crop.integers("strides")) == ("VALID", (1, 2))


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b""], ids=["cut", "longer", "empty"])
def test_numbers_that_are_not_those_described_are_refused(tmp_path: Path, data: bytes):
    with pytest.raises(ModelRefused, match=r"model\.json is not a TensorFlow.js graph model"):
        tfjs.read(written(tmp_path, data))


@pytest.mark.parametrize("topology", [{}, {"node": [{"name": "a"}]}, []])
def test_another_json_is_refused(tmp_path: Path, topology: object):
    with pytest.raises(ModelRefused):
        tfjs.read(written(tmp_path, modelTopology=topology))


def test_a_ring_is_refused(tmp_path: Path):
    ring = [{"name": "a", "op": "Neg", "input": ["b"]}, {"name": "b", "op": "Neg", "input": ["a"]}]
    with pytest.raises(ModelRefused, match="a takes from itself"):
        tfjs.read(written(tmp_path, modelTopology={"node": ring}))
