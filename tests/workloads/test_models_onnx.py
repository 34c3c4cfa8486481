"""A model's file on what this machine has."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from baygrid.workloads.models import ModelMissing, ModelRefused
from baygrid.workloads.models.onnx import Network, Port


def doubled(path: Path, first: int | str) -> Path:
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "double",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [first, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [first, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"names": "none"})
    onnx.save(model, path)
    return path


def test_a_model_says_what_it_takes_and_is_run(tmp_path: Path):
    network = Network(doubled(tmp_path / "m.onnx", "batch"))
    assert network.inputs == (Port("x", "tensor(float)", (None, 2)),)
    assert network.metadata == {"names": "none"}
    (answer,) = network(np.array([[1, 2], [3, 4]], np.float32))
    assert answer.tolist() == [[2, 4], [6, 8]]


def test_a_device_that_is_not_there_is_not_said_to_be(tmp_path: Path):
    network = Network(
        doubled(tmp_path / "m.onnx", "batch"), ("NoSuchExecutionProvider", "CPUExecutionProvider")
    )
    assert (network.provider, network.batch) == ("CPU", 1)


def test_a_fixed_batch_is_kept(tmp_path: Path):
    assert Network(doubled(tmp_path / "m.onnx", 5)).batch == 5


def test_what_is_no_model_is_refused(tmp_path: Path):
    (tmp_path / "m.onnx").write_text("no model")
    with pytest.raises(ModelRefused, match=r"m\.onnx is no model for ONNX Runtime"):
        Network(tmp_path / "m.onnx")
    with pytest.raises(ModelMissing, match="is not there"):
        Network(tmp_path / "n.onnx")
