"""The detector finds in real pictures what is in them, and says of numbers what TensorFlow.js says."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from baygrid.workloads.detection import nanodet
from baygrid.workloads.detection.coco import NAMES
from baygrid.workloads.detection.detector import Detector
from baygrid.workloads.images import inputs
from baygrid.workloads.images.pictures import opened
from baygrid.workloads.models import ModelMissing, ModelRefused
from baygrid.workloads.models.onnx import Network
from baygrid.workloads.pictures import Pixels

FILES = {Path(entry.at).name: Path(entry.at) for entry in inputs.photographs()}

# What TensorFlow.js 4.22 gives for motorcycle_left.png with the package's own files: of each of the six
# outputs where its largest number is, that number, and the mean of all.
TENSORFLOW_JS = (
    (75041, 0.30248529, 5.4762906e-3),
    (21121, 0.21750262, 6.9804671e-3),
    (7843, 0.79261935, 1.1504258e-2),
    (38896, 10.5481272, 2.78e-6),
    (10531, 5.3065248, -2.243e-5),
    (4393, 7.3310943, -3.218e-5),
)


def photograph(name: str) -> Pixels:
    return opened(FILES[name].read_bytes(), None).pixels


@pytest.fixture(scope="module")
def detector(nanodet_file: Path) -> Detector:
    return Detector(nanodet_file)


def test_the_converted_model_gives_the_numbers_of_tensorflow_js(nanodet_file: Path):
    picture = cv2.resize(photograph("motorcycle_left.png"), (416, 416), interpolation=cv2.INTER_LINEAR)
    outputs = Network(nanodet_file)(picture[None])
    for output, (where, largest, mean) in zip(outputs, TENSORFLOW_JS, strict=True):
        assert int(output.argmax()) == where
        assert float(output.max()) == pytest.approx(largest, rel=1e-4)
        assert float(output.mean()) == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "label", "box"),
    [
        ("astronaut.png", "person", (14, 14, 364, 508)),
        ("camera.png", "person", (4, 68, 319, 512)),
        ("coffee.png", "cup", (147, 11, 426, 398)),
        ("motorcycle_left.png", "motorcycle", (106, 75, 688, 454)),
    ],
)
def test_what_is_in_a_photograph_is_found_where_it_is(
    name: str, label: str, box: tuple[int, ...], detector: Detector
):
    best = detector.detect(photograph(name))[0]
    assert best.label == label == NAMES[best.class_index]
    assert best.score > 0.5
    assert best.box == pytest.approx(box, abs=6)


def test_nothing_is_found_where_nothing_is(detector: Detector):
    assert detector.detect(photograph("gravel.png")) == ()
    assert detector.detect(np.zeros((1, 1, 3), np.uint8)) == ()


def test_boxes_stay_inside_and_come_best_first(detector: Detector):
    picture = photograph("coins.png")
    found = detector.detect(picture)
    assert len(found) > 5
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    for left, top, right, bottom in (each.box for each in found):
        assert 0 <= left < right <= picture.shape[1]
        assert 0 <= top < bottom <= picture.shape[0]


def test_pictures_together_give_what_each_gives_alone(detector: Detector):
    pictures = [photograph(name) for name in ("coffee.png", "coins.png", "gravel.png")]
    for alone, together in zip(map(detector.detect, pictures), detector.detect_all(pictures), strict=True):
        assert [each.label for each in alone] == [each.label for each in together]
        for one, other in zip(alone, together, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-4)
            assert one.box == pytest.approx(other.box, abs=0.1)


def answering(path: Path, planes: bool, classes: int = 80, side: int = 64) -> Path:
    """A model of NanoDet's form that sees one thing, of class 2, in its second cell of stride 32: half a cell
    to each side of its middle."""
    cells = [(side // stride) ** 2 for stride in nanodet.STRIDES]
    nodes, outputs = [], []
    for number, count in enumerate(cells + cells):
        values = np.zeros((1, count, classes if number < 3 else 8), np.float32)
        if number == 2:
            values[0, 1, 2] = 0.9
        name = f"output_{number}"
        tensor = helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.ravel())
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, values.shape))
    kind, shape = (
        (TensorProto.FLOAT, [1, 3, side, side]) if planes else (TensorProto.UINT8, [1, side, side, 3])
    )
    taken = helper.make_tensor_value_info("images", kind, shape)
    graph = helper.make_graph(nodes, "one", [taken], outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("planes", [False, True])
def test_another_model_of_the_same_form_is_run(planes: bool, tmp_path: Path):
    (found,) = Detector(answering(tmp_path / "d.onnx", planes)).detect(np.zeros((32, 128, 3), np.uint8))
    assert (found.label, found.class_index) == ("car", 2)
    assert found.score == pytest.approx(0.9)
    # The cell's middle is (48, 16) of 64 x 64; two bins alike lie half a cell of 32 away.
    assert found.box == pytest.approx((64, 0, 128, 16))


def test_a_model_of_another_form_is_refused_by_its_form(tmp_path: Path):
    with pytest.raises(ModelRefused, match="not a NanoDet's scores of 80 classes"):
        Detector(answering(tmp_path / "d.onnx", planes=False, classes=20))
    with pytest.raises(ModelMissing, match="is not there"):
        Detector(tmp_path / "nowhere.onnx")
