"""The classifier in bf16: as good as it must be on this machine, or refused."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pyarrow.parquet as pq
import pytest
from onnx import numpy_helper

from baygrid.workloads.application import ApplicationError
from baygrid.workloads.images import bf16, quality
from baygrid.workloads.images.application import Images
from baygrid.workloads.images.bf16 import Bf16Classifier
from baygrid.workloads.images.model import Classifier, Floats
from baygrid.workloads.models import ModelMissing, ModelRefused, openvino
from baygrid.workloads.pictures import Pixels
from baygrid.workloads.rating import images as rating
from baygrid.workloads.rating.profile import profile
from tests.workloads.inline import run_here

pytestmark = pytest.mark.usefixtures("model_cache")


@pytest.fixture(scope="session")
def quick(model_cache: Path) -> Bf16Classifier:
    try:
        return Bf16Classifier()
    except ModelMissing as why:
        pytest.skip(f"needs OpenVINO: {why}")
    except ModelRefused as why:
        pytest.skip(f"needs a CPU with bf16: {why}")


@pytest.fixture(scope="session")
def squares() -> Sequence[Pixels]:
    return bf16.pictures()[:30]


def test_the_pictures_by_which_it_is_judged_are_many_and_never_others(squares: Sequence[Pixels]):
    again = bf16.pictures()
    assert len(again) == bf16.TRIED == len({each.tobytes() for each in again})
    assert all(np.array_equal(one, other) for one, other in zip(squares, again, strict=False))
    assert {each.shape for each in again} == {(224, 224, 3)}


def test_both_halves_are_the_whole(model_cache: Path, classifier: Classifier, squares: Sequence[Pixels]):
    head, tail = (onnxruntime.InferenceSession(half) for half in bf16.halves())
    (begun,) = head.run(None, {"images": squares[0][None]})
    found = tail.run(None, {tail.get_inputs()[0].name: begun})
    wanted = classifier.network(squares[0][None])
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_it_says_what_fp32_says(quick: Bf16Classifier, classifier: Classifier, squares: Sequence[Pixels]):
    assert bf16.compared(quick, classifier, squares) > 0.95  # of 30; the gate itself is on all of them
    probabilities, features = quick(squares[:4])
    wanted, its_features = classifier(squares[:4])
    assert features is not None
    assert its_features is not None
    assert probabilities == pytest.approx(wanted, abs=0.2)
    cosines = (features * its_features).sum(1)
    cosines /= np.linalg.norm(features, axis=1) * np.linalg.norm(its_features, axis=1)
    assert cosines.min() > 0.99
    assert (probabilities != wanted).any()  # else all of it was done in fp32


def test_a_picture_gets_the_same_whatever_is_beside_it(quick: Bf16Classifier, squares: Sequence[Pixels]):
    together, _ = quick(squares[:7])
    backwards, _ = quick(squares[6::-1])
    assert np.array_equal(together, backwards[::-1])
    assert np.array_equal(together[5:6], quick(squares[5:6])[0])


def test_where_it_is_unsure_fp32_is_asked(
    quick: Bf16Classifier, classifier: Classifier, squares: Sequence[Pixels], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bf16, "MARGIN", np.inf)
    assert quick(squares[:2])[0] == pytest.approx(np.concatenate([classifier([s])[0] for s in squares[:2]]))


def damaged(whole: Path, half: Path) -> Path:
    """As a bad conversion would: the weights of one layer in three bits."""
    model = onnx.load(whole)
    for tensor in model.graph.initializer:
        if tensor.name == "_blocks.9._project_conv.weight":
            weights = numpy_helper.to_array(tensor)
            step = np.abs(weights).max() / 3
            tensor.CopyFrom(numpy_helper.from_array(np.round(weights / step) * step, tensor.name))
            onnx.save(model, half)
            return half
    raise AssertionError("no such layer")


@pytest.mark.slow
def test_a_variant_that_is_broken_is_refused_each_time(
    model_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: Bf16Classifier
):
    """And before a picture is looked at: by `baygrid app images` and in each worker."""
    _, tail = bf16.halves()
    broken = damaged(tail, tmp_path / "broken.onnx")
    monkeypatch.setenv("BAYGRID_CACHE", str(tmp_path / "cache"))
    usual = openvino.Bf16Network
    monkeypatch.setattr(openvino, "Bf16Network", lambda _, batch: usual(broken, batch))
    application = Images(precision="bf16")
    for start in (lambda: run_here(application, tmp_path / "out"), bf16.load):
        with pytest.raises(ModelRefused, match=r"bf16 is not used here: .* of 300 pictures, less than 99%"):
            start()
    assert not (tmp_path / "out/labels.parquet").exists()


class Told:
    """Says the same class of all pictures."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, squares: Sequence[Pixels]) -> tuple[Floats, None]:
        return np.eye(1000, dtype=np.float32)[[self.number] * len(squares)], None


def test_agreement_is_counted_by_picture(squares: Sequence[Pixels]):
    assert bf16.compared(Told(3), Told(3), squares) == 1
    assert bf16.compared(Told(3), Told(4), squares) == 0
    assert bf16.judged(0.99) == 0.99
    with pytest.raises(ModelRefused, match=r"98\.7%"):
        bf16.judged(0.987)


@pytest.mark.slow
def test_the_photographs_in_bf16(quick: Bf16Classifier, tmp_path: Path):
    totals, _, told = run_here(Images(tasks=("classify", "embed"), precision="bf16"), tmp_path)
    assert (totals.units, totals.failed) == (15, ())
    assert told["quality"]["top1_agreement"] == 1.0
    assert told["quality"]["bf16_agreement"] >= bf16.LEAST_AGREEMENT
    rows = pq.read_table(tmp_path / "labels.parquet").to_pylist()
    assert {row["path"]: row["class_index"] for row in rows} == quality.golden({row["path"] for row in rows})


@pytest.mark.slow
def test_it_is_tried_once(quick: Bf16Classifier, model_cache: Path, monkeypatch: pytest.MonkeyPatch):
    found = bf16.agreement()
    monkeypatch.setattr(bf16, "compared", None)
    assert bf16.agreement() == found
    (kept,) = model_cache.glob("efficientnet-lite0-bf16-*.json")
    assert "openvino" in json.loads(kept.read_text())["about"]


@pytest.mark.skipif(find_spec("openvino") is None, reason="needs OpenVINO")
def test_openvino_is_not_let_report_to_its_makers(tmp_path: Path):
    program = """
import sys
from baygrid.workloads.models import ModelRefused, openvino
try:
    openvino.platform()
except ModelRefused:
    pass
assert "openvino" in sys.modules
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""
    home = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=home, check=True)
    assert not list(tmp_path.iterdir())


def test_a_machine_without_it_says_so(monkeypatch: pytest.MonkeyPatch):
    class Core:
        def get_property(self, device: str, name: str) -> list[str]:
            return ["FP32", "INT8"]

    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=Core))
    with pytest.raises(ModelRefused, match=r"this CPU has no arithmetic in bf16"):
        Images(precision="bf16").loading()
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelMissing, match=r"OpenVINO is missing: pip install 'baygrid\[images-bf16\]'"):
        Images(precision="bf16").loading()


@pytest.mark.parametrize(
    "options", [{"model": Path("m.onnx")}, {"labels": Path("l.txt")}, {"tasks": ("detect",)}]
)
def test_it_is_for_the_default_classifier(options: dict):
    with pytest.raises(ApplicationError, match="bf16 is for the default classifier"):
        Images(precision="bf16", **options)
    with pytest.raises(ApplicationError, match="no precision 'int8': there are fp32, bf16"):
        Images(precision="int8")


@pytest.mark.slow
def test_its_rating_is_another_profile_with_the_same_gate(quick: Bf16Classifier, tmp_path: Path):
    its, exact = profile("images-bf16"), profile("images")
    assert (its.name, its.precision, its.device()) == ("images-bf16@1", "bf16", "CPU")
    assert its.flop_per_unit() == exact.flop_per_unit()
    its.prepare(tmp_path)
    _, outcome, _ = run_here(its.application(tmp_path, 1), tmp_path / "out")
    gate = its.gate(1, outcome)
    assert gate.passed
    assert gate.figures == {"top1_agreement": pytest.approx(1, abs=0.01), "pictures": rating.PICTURES}
