"""Measuring: arithmetic counted in graphs, what matrix products reach, gates that refuse, one measurement."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from baygrid.core.rating.judging import impossible
from baygrid.core.rating.scaling import NoCurve
from baygrid.core.rating.value import Gate, Rating
from baygrid.workloads.application import Application, ApplicationError, Loading, Outcome, Shard
from baygrid.workloads.engines.working import Worked, Working, packed, worked
from baygrid.workloads.images import model
from baygrid.workloads.rating import flop, gemm, images
from baygrid.workloads.rating.gemm import Gemm
from baygrid.workloads.rating.measuring import Devices, GateFailed, measure
from baygrid.workloads.rating.profile import profile
from baygrid.workloads.rating.told import figures, lines, projected
from tests.core.ratings import cpu_rating, rating
from tests.workloads.counting import Counting

CPU = Gemm("CPU", 1, 1024, 5e10, None)
NOW = 1_800_000_000_000


class Here:
    """An engine in this process."""

    name, workers = "here", 1

    def __call__(self, loading: Loading, shards: Sequence[Shard]) -> Generator[Worked]:
        working = Working(loading)
        for shard in shards:
            yield worked(working(packed(shard)))

    def close(self) -> None: ...


@dataclass(frozen=True)
class Letters:
    """A profile that counts letters."""

    text: str = "abc\n"
    good: bool = True
    name = "letters@1"
    unit = "images"
    input = "lines"
    precision = "fp32"
    first = 4.0

    def model(self) -> str:
        return "none"

    def flop_per_unit(self) -> float | None:
        return 1e6

    def prepare(self, folder: Path) -> None:
        (folder / "lines").write_text(self.text * 4)

    def application(self, folder: Path, units: float) -> Application:
        return Counting(str(folder / "lines"), str(folder / "journal"))

    def gate(self, output: Path, outcome: Outcome) -> Gate:
        return Gate(
            self.good, {"letters": float(outcome.quality["letters"])}, "" if self.good else "few letters"
        )


def measured(of: Letters | None = None, devices: Devices | None = None, reached: Gemm = CPU) -> Rating:
    return measure(of or Letters(), Here(), devices or Devices(), reached, 0.1, lambda: NOW, lambda _: None)


def graph(*nodes: Any, inputs: dict[str, Any], constants: dict[str, tuple[int, ...]]) -> onnx.ModelProto:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()]
    held = [
        onnx.numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in constants.items()
    ]
    out = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
    made = helper.make_graph(nodes, "g", ports, [out], held)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def counted(folder: Path, made: onnx.ModelProto, **sizes: int) -> float:
    onnx.save(made, folder / "g.onnx")
    return flop.of(folder / "g.onnx", **sizes)


def test_the_arithmetic_of_each_kind_of_node(tmp_path: Path):
    conv = helper.make_node("Conv", ["x", "k"], ["y"], pads=[1, 1, 1, 1])
    made = graph(conv, inputs={"x": ["batch", 3, 10, 10]}, constants={"k": (8, 3, 3, 3)})
    assert counted(tmp_path, made) == 2 * 8 * 10 * 10 * 3 * 3 * 3
    depthwise = helper.make_node("Conv", ["x", "k"], ["y"], group=4)
    made = graph(depthwise, inputs={"x": [1, 4, 10, 10]}, constants={"k": (4, 1, 3, 3)})
    assert counted(tmp_path, made) == 2 * 4 * 8 * 8 * 3 * 3
    gemm_node = helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)
    made = graph(gemm_node, inputs={"x": ["batch", 16]}, constants={"w": (5, 16)})
    assert counted(tmp_path, made) == 2 * 16 * 5
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    made = graph(product, inputs={"x": [1, "length", 16]}, constants={"w": (16, 5)})
    assert counted(tmp_path, made, length=100) == 2 * 100 * 16 * 5
    rest = helper.make_node("Relu", ["x"], ["y"])
    assert counted(tmp_path, graph(rest, inputs={"x": [1, 16]}, constants={})) == 0


def test_the_classifier_has_the_arithmetic_that_is_published(model_cache: Path):
    """M. Tan's table of EfficientNet-Lite: 407 million multiplications with their additions for Lite0, at
    224 x 224, where those of batch normalisation (folded away here) count, too."""
    assert 2 * 407e6 * 0.9 < flop.of(model.prepared()) < 2 * 407e6


def test_matrix_products_reach_something_here():
    found = gemm.measured(2, seconds=0.05, providers=("CPUExecutionProvider",))
    assert (found.provider, found.threads) == ("CPU", 2)
    assert found.fp32 is not None
    assert 1e8 < found.fp32 < 1e14


def test_the_gate_of_images_lets_one_in_a_hundred_differ():
    wanted = images.golden()
    assert len(wanted) == images.PICTURES
    assert images.judged(wanted, wanted) == Gate(True, {"top1_agreement": 1.0, "pictures": 256.0})
    two = wanted | dict.fromkeys(list(wanted)[:2], -1)
    assert images.judged(two, wanted).passed
    eighth = wanted | dict.fromkeys(list(wanted)[:33], -1)  # what a careless int8 copy does
    assert images.judged(eighth, wanted).why == "top-1 agrees on 87.1%, less than 99%"
    assert not images.judged(dict(list(wanted.items())[:250]), wanted).passed
    assert not images.judged({}, wanted).passed


def test_the_profile_of_images_makes_the_same_pictures_everywhere(tmp_path: Path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        images.ImagesProfile().prepare(tmp_path / name)
    made = sorted((tmp_path / "one").iterdir())
    assert [path.name for path in made] == sorted(images.golden())
    assert all(path.read_bytes() == (tmp_path / "other" / path.name).read_bytes() for path in made)


@pytest.mark.slow
def test_the_default_model_passes_the_gate_of_images(model_cache: Path):
    found = measure(profile("images"), Here(), Devices(), CPU, 0.1, lambda: NOW, lambda _: None)
    assert found.gate.figures["top1_agreement"] >= 0.99
    assert found.unit == "images"
    assert found.units >= images.PICTURES
    assert found.flop_per_unit == flop.of(model.prepared())
    assert set(found.stages) >= {"decode", "classify"}
    assert impossible(replace(found, gemm_fp32=1e12), NOW, 0) is None


def test_a_measurement_tells_what_was_measured():
    found = measured()
    assert (found.profile, found.unit, found.units) == ("letters@1", "images", 4.0)
    assert found.seconds > 0
    assert (found.cpus, found.nodes, found.accelerator, found.gemm_fp32) == (1, 1, None, 5e10)
    assert found.gate == Gate(True, {"letters": 12.0})
    assert found.measured_at == NOW
    assert found.memory_mib > 10
    assert "onnxruntime" in found.software


def test_no_rate_without_its_gate():
    with pytest.raises(GateFailed, match="letters@1 has no rate here: few letters") as failed:
        measured(Letters(good=False))
    assert failed.value.gate.figures == {"letters": 12.0}


def test_no_rate_where_an_input_failed():
    with pytest.raises(GateFailed, match="4 inputs failed: bad"):
        measured(Letters("!bad\n"))


def test_a_device_has_a_name_and_is_there():
    with pytest.raises(ApplicationError, match="say which and how many, for example --accelerator H100:1"):
        measured(reached=replace(CPU, provider="CUDA"))
    with pytest.raises(ApplicationError, match="it would be no rating of H100"):
        measured(devices=Devices(1, "H100", 1))
    found = measured(devices=Devices(2, "H100", 4, 4e15), reached=replace(CPU, provider="CUDA", fp16=1e15))
    assert (found.nodes, found.accelerator, found.accelerators, found.declared_flops) == (2, "H100", 4, 4e15)
    assert found.units_per_declared_pflops == pytest.approx(found.units_per_hour / 4)


def test_there_is_no_such_profile():
    assert profile("images") == profile("images@1")
    with pytest.raises(ApplicationError, match="there is no profile 'cats': use one of"):
        profile("cats")


def test_a_rating_is_told_beside_the_centre():
    told = dict(lines(rating()))
    assert told["images an hour"] == "7,200,000 (20,000 in 10.0 s, 2 H100)"
    assert told["utilisation"] == "0.2% of the faster (0.8 GFLOP each)"
    assert told["for a PFLOP/s measured"] == "7,200,000 an hour"
    assert told["for a PFLOP/s declared"] == "3,600,000 an hour"
    assert told["the centre for a PFLOP/s"].startswith(
        "3,200,000 an hour (889 a second) (planned, on completion"
    )
    assert told["share of the centre"] == "0.0045 of its 1,600,000,000 images an hour"
    assert figures(rating())["share_of_centre"] == 0.0045


def curve(*counts: int, **fields: Any) -> list[Rating]:
    return [cpu_rating(cpus=n, units=1000.0 * n / (1 + 0.1 * (n - 1)), **fields) for n in counts]


def test_a_projection_is_of_what_was_varied():
    found = projected(curve(1, 2, 4), 8)
    assert (found["count"], found["of"], found["measured_at_counts"]) == (8, "workers", [1, 2, 4])
    one = cpu_rating(units=1000.0).units_per_hour
    assert found["units_per_hour"] == pytest.approx(one * 8 / 1.7)
    by_nodes = [replace(it, nodes=it.cpus, cpus=64 * it.cpus) for it in curve(1, 2, 3)]
    assert projected(by_nodes, 12)["of"] == "nodes"


def test_a_projection_needs_a_curve_of_one_thing():
    with pytest.raises(NoCurve, match="3 different counts, and this has 1, 2"):
        projected(curve(1, 2), 4)
    with pytest.raises(NoCurve, match="nothing is told beyond 16"):
        projected(curve(1, 2, 4), 1000)
    with pytest.raises(NoCurve, match="several profiles or devices"):
        projected([*curve(1, 2), *curve(4, profile="images@2")], 8)
