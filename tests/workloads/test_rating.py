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
from baygrid.workloads.engines.working import FinishedShard, ShardRunner, encoded, finished
from baygrid.workloads.images import model
from baygrid.workloads.models import ModelRefused
from baygrid.workloads.rating import driving, flop, gemm, images, speech, whisper
from baygrid.workloads.rating.gemm import Gemm
from baygrid.workloads.rating.measuring import Devices, GateFailed, measure
from baygrid.workloads.rating.profile import profile
from baygrid.workloads.rating.projection import projected
from baygrid.workloads.rating.told import figures, lines
from baygrid.workloads.running import run
from baygrid.workloads.speech import clip as speech_clips
from baygrid.workloads.speech import model as speech_model
from tests.core.ratings import cpu_rating, rating
from tests.workloads.counting import Counting

CPU = Gemm("CPU", 1, 1024, 5e10, None)
NOW = 1_800_000_000_000


class Here:
    """An engine in this process."""

    name, workers = "here", 1

    def __call__(self, loading: Loading, shards: Sequence[Shard]) -> Generator[FinishedShard]:
        runner = ShardRunner(loading)
        for shard in shards:
            yield finished(runner(encoded(shard)))

    def close(self) -> None: ...


@dataclass(frozen=True)
class Letters:
    """A profile that counts letters."""

    text: str = "abc\n"
    good: bool = True
    on: str = "CPU"
    name = "letters@1"
    unit = "images"
    input = "lines"
    precision = "fp32"
    first = 4.0

    def model(self) -> str:
        return "none"

    def device(self) -> str:
        return self.on

    def flop_per_unit(self) -> float | None:
        return 1e6

    def prepare(self, folder: Path) -> None:
        (folder / "lines").write_text(self.text * 4)

    def application(self, folder: Path, units: float) -> Application:
        return Counting(str(folder / "lines"), str(folder / "journal"))

    def gate(self, units: float, outcome: Outcome) -> Gate:
        return Gate(
            self.good, {"letters": float(outcome.quality["letters"])}, "" if self.good else "few letters"
        )


def measured(of: Letters | None = None, devices: Devices | None = None) -> Rating:
    return measure(of or Letters(), Here(), devices or Devices(), CPU, 0.1, lambda: NOW, lambda _: None)


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


def test_the_gate_of_speech_knows_what_full_precision_reaches():
    wanted = speech.golden()
    assert wanted["cer"] < 0.05
    assert wanted["chrf"] > 60
    assert speech.judged(wanted, wanted) == Gate(True, wanted)
    for change, says in (
        ({"cer": 0.1}, "10.0% of the characters are wrong, more than 5.6%"),
        ({"chrf": 50.0}, "chrF of the translations is 50.0, less than 54.2"),
        ({"gated": 0.25}, "25.0% of the segments are not to be relied on, more than 2%"),
    ):
        found = speech.judged(wanted | change, wanted)
        assert (found.passed, found.why) == (False, says)


def segment(file: str, text: str, translation: str | None = None, flags: str | None = None) -> dict[str, Any]:
    return {"file": file, "text": text, "translation": translation, "flags": flags}


def test_what_speech_reached_is_counted_over_all_clips():
    english, japanese = speech_clips.clips()
    good = [
        segment("000000-en.opus", english.text),
        segment("000000-ja.opus", japanese.text[:30], japanese.english[:60]),
        segment("000000-ja.opus", japanese.text[30:], japanese.english[60:].lstrip()),
    ]
    found = speech.reached(good, 1)
    assert (found["cer"], found["gated"], found["clips"]) == (0.0, 0.0, 2.0)
    assert found["chrf"] > 99
    looped = speech.reached(
        [*good[:2], segment("000000-ja.opus", "車の" * 40, "the car of " * 20, "repeats")], 1
    )
    assert looped["cer"] > 0.5
    assert looped["chrf"] < 50
    assert looped["gated"] == pytest.approx(1 / 3)
    untranslated = [good[0], segment("000000-ja.opus", japanese.text, japanese.text, "untranslated")]
    assert speech.reached(untranslated, 1)["chrf"] < 5
    assert speech.reached([], 1) == {"cer": 1.0, "chrf": 0.0, "gated": 1.0, "clips": 2.0}


def test_clips_of_which_nothing_was_heard_count():
    english, japanese = speech_clips.clips()
    names = [name for name, _ in speech._files(4)]
    texts = {"en.opus": (english.text, None), "ja.opus": (japanese.text, japanese.english)}
    every = [segment(name, *texts[name.partition("-")[2]]) for name in names]
    assert speech.judged(speech.reached(every, 4), speech.golden()).passed
    half = speech.reached(every[:4], 4)
    assert half["cer"] == pytest.approx(0.5)
    assert half["clips"] == 8
    assert not speech.judged(half, speech.golden()).passed


def test_clips_are_cut_so_that_all_workers_have_some(tmp_path: Path):
    profile = speech.SpeechProfile()
    application = profile.application(tmp_path, 20 * profile.first)
    shards = list(application.shards())
    assert len(shards) == 2 * 20 * speech.LEAST_PAIRS // speech.TOGETHER
    assert len({shard.id for shard in shards}) == len(shards)
    assert sum(shard.units for shard in shards) == pytest.approx(20 * profile.first, rel=0.01)


def test_the_arithmetic_of_whisper_is_that_of_its_shapes():
    """Whisper base has 74 million parameters (Radford et al. 2022, table 1); by its published dimensions (512
    wide, 6 layers each way, 51,865 tokens) its arithmetic is reckoned here another way."""
    folder = speech_model.directory(None)
    found = whisper.arithmetic(whisper.shapes(folder / "model.bin"))
    layer = 12 * 512**2
    encoder = 2 * 1500 * 6 * layer + 6 * 4 * 1500**2 * 512 + 2 * 3000 * 80 * 3 * 512 + 2 * 1500 * 3 * 512**2
    assert found.chunk == encoder
    assert found.text == 2 * 1500 * 6 * 2 * 512**2
    assert found.token == 2 * (6 * 14 * 512**2 + 51_865 * 512) + 6 * 4 * 1500 * 512


def test_what_is_no_model_has_no_shapes(tmp_path: Path):
    (tmp_path / "model.bin").write_bytes(b"\6\0\0\0\4\0Whis")
    with pytest.raises(ModelRefused, match="no model of CTranslate2"):
        whisper.shapes(tmp_path / "model.bin")
    (tmp_path / "model.bin").write_bytes(b"\7\0\0\0")
    with pytest.raises(ModelRefused, match="format 7 is not read here"):
        whisper.shapes(tmp_path / "model.bin")


def score(**change: Any) -> dict[str, Any]:
    """A drive's score against its truth."""
    kinds = {
        "vehicle": {"true": 90, "found": 90, "rows": 100, "right": 99},
        "cyclist": {"true": 10, "found": change.get("cyclists", 9), "rows": 0, "right": 0},
        "pedestrian": {"true": 0, "found": 0, "rows": change.get("people", 0), "right": 0},
        "things": 20,
    }
    planted = {"cut_in": {"planted": 1, "found": 1, "missed": change.get("missed", 0), "false": 0}}
    way = {"position_rms_m": change.get("off", 0.6), "position_max_m": 2.0, "distance_error": 0.002}
    false = change.get("false", 0.0)
    ego = None if change.get("lost") else way
    return {"boxes": kinds, "scenarios": {"by_kind": planted, "false_per_km": false}, "ego": ego}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"people": 11}, "89.2% of the boxes are things, less than 95%"),
        ({"cyclists": 4}, "94.0% of the things are found, less than 95%"),
        ({"off": 1.6}, "the own way is off by 1.60 m, more than 1.5 m"),
        ({"missed": 1}, "1 planted scenarios are missed"),
        ({"false": 3.0}, "3.0 scenarios a km are none"),
        ({"lost": True}, "a drive has no way that could be compared with its truth"),
    ],
)
def test_the_gate_of_driving_takes_the_worst_of_all_drives(change: dict[str, Any], says: str):
    good = driving.judged([score()])
    assert good.figures["recall"] == pytest.approx(0.99)
    assert good.figures["precision"] == pytest.approx(0.99)
    assert good.passed
    found = driving.judged([score(), score(**change)])
    assert (found.passed, found.why) == (False, says)
    assert not driving.judged([]).passed


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_synthetic_drive_passes_the_gate_of_driving(tmp_path: Path):
    profile = driving.DrivingProfile()
    profile.prepare(tmp_path)
    _, outcome = run(
        profile.application(tmp_path, 2 * driving.KM), tmp_path / "output", Here(), lambda _: None
    )
    gate = profile.gate(2 * driving.KM, outcome)
    assert gate.passed, gate.why
    assert gate.figures["drives"] == 2
    assert outcome.quality["km"] == pytest.approx(2 * driving.KM, rel=0.1)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whisper_base_passes_the_gate_of_speech(tmp_path: Path):
    profile = speech.SpeechProfile()
    application = profile.application(tmp_path, 0.0)
    _, outcome = run(application, tmp_path / "output", Here(), lambda _: None)
    gate = profile.gate(0.0, outcome)
    assert gate.passed, gate.why
    assert gate.figures["clips"] == 2 * speech.LEAST_PAIRS


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
        measured(Letters(on="CUDA"))
    with pytest.raises(ApplicationError, match="it would be no rating of H100"):
        measured(devices=Devices(1, "H100", 1))
    found = measured(Letters(on="CUDA"), Devices(1, "H100", 1, 4e15))
    assert (found.nodes, found.accelerator, found.accelerators, found.declared_flops) == (1, "H100", 1, 4e15)
    assert found.units_per_declared_pflops == pytest.approx(found.units_per_hour / 4)


def test_what_was_not_used_is_not_signed():
    with pytest.raises(
        ApplicationError, match=r"of one device, not of 8: .* Rate it with --accelerator H100:1"
    ):
        measured(Letters(on="CUDA"), Devices(1, "H100", 8))
    with pytest.raises(ApplicationError, match=r"of one node, not of 2: .* Rate it by itself"):
        measured(devices=Devices(2))


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
