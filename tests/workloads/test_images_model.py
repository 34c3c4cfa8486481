"""The model says of real pictures what PyTorch says with the same weights; other models are run, too."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from baygrid.workloads.images import inputs
from baygrid.workloads.images.model import Classifier
from baygrid.workloads.models import ModelRefused

# Computed with torch 2.13 from the package's own checkpoint, on the squares that `exact` gives.
# The likeliest class and its logit, then the second.
GOLDEN = {
    "astronaut.png": ("bobsled", 450, 7.244, 560, 6.165),
    "camera.png": ("tripod", 872, 11.351, 447, 6.974),
    "chelsea.png": ("Egyptian cat", 285, 9.175, 282, 8.969),
    "coffee.png": ("espresso", 967, 11.066, 968, 6.915),
    "coins.png": ("golf ball", 574, 6.561, 971, 5.886),
    "motorcycle_left.png": ("moped", 665, 9.168, 670, 7.469),
}

# Logits. Decoders of another version may round a pixel the other way; a wrong layer is off by whole numbers.
TOLERANCE = 0.05

FILES = {Path(entry.at).name: entry.at for entry in inputs.photographs()}


def exact(name: str) -> np.ndarray:
    """The central square by Pillow's own careful resize."""
    with Image.open(FILES[name]) as file:
        image = file.convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR, box=box))


@pytest.mark.parametrize("name", GOLDEN)
def test_labels_and_logits_are_those_of_pytorch(name: str, classifier: Classifier):
    label, first, first_logit, second, second_logit = GOLDEN[name]
    logits = classifier.network(exact(name)[None])[0][0]
    assert np.argsort(-logits)[:2].tolist() == [first, second]
    assert classifier.labels[first] == label
    assert logits[[first, second]] == pytest.approx([first_logit, second_logit], abs=TOLERANCE)


def test_a_batch_gives_what_its_pictures_give_alone(classifier: Classifier):
    squares = [exact(name) for name in ("chelsea.png", "coffee.png", "motorcycle_left.png")]
    scores, features = classifier(squares)
    assert scores.shape == (3, 1000)
    assert scores.sum(1) == pytest.approx(1)
    assert features is not None
    assert features.shape == (3, 1280)
    for number, one in enumerate(squares):
        alone, its_features = classifier([one])
        assert alone[0] == pytest.approx(scores[number], abs=1e-4)
        assert its_features is not None
        assert its_features[0] == pytest.approx(features[number], abs=1e-3)


def test_every_class_has_a_name(classifier: Classifier):
    assert len(classifier.labels) == 1000
    assert all(classifier.labels)


def averaging(path: Path, metadata: dict[str, str], kind: int = TensorProto.FLOAT, size: int = 32) -> Path:
    """Three classes: how red, green and blue it is, as a usual model gets it (planes of float32)."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)],
        "colours",
        [helper.make_tensor_value_info("x", kind, ["batch", 3, size, size])],
        [helper.make_tensor_value_info("y", kind, ["batch", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


ORANGE = np.full((32, 32, 3), (255, 128, 0), np.uint8)


def test_a_model_of_planes_gets_them_as_it_was_trained(tmp_path: Path):
    usual = Classifier(averaging(tmp_path / "a.onnx", {}))
    raw = usual.network(np.zeros((1, 3, 32, 32), np.float32))[0]
    assert raw.tolist() == [[0, 0, 0]]
    scores, features = usual([ORANGE])
    expected = np.exp(((np.array([1, 128 / 255, 0])) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])
    assert scores[0] == pytest.approx(expected / expected.sum(), abs=1e-5)
    assert features is None
    assert usual.labels == ("class 0", "class 1", "class 2")

    own = Classifier(averaging(tmp_path / "b.onnx", {"mean": "0,0,0", "std": "0.5, 0.5, 0.5"}))
    expected = np.exp([2, 256 / 255, 0])
    assert own([ORANGE])[0][0] == pytest.approx(expected / expected.sum(), abs=1e-5)


def test_probabilities_stay_as_they_are(tmp_path: Path):
    flat = np.full((32, 32, 3), 85, np.uint8)
    model = Classifier(averaging(tmp_path / "a.onnx", {"mean": "0,0,0", "std": "1,1,1"}))
    assert model([flat])[0][0] == pytest.approx([1 / 3] * 3, abs=1e-6)


def test_labels_come_one_a_line(tmp_path: Path):
    file = averaging(tmp_path / "a.onnx", {})
    (tmp_path / "names.txt").write_text("red\ngreen\nblau\n")
    assert Classifier(file, tmp_path / "names.txt").labels == ("red", "green", "blau")
    (tmp_path / "names.txt").write_text("red\n")
    with pytest.raises(ModelRefused, match=r"names\.txt has 1 lines, and a\.onnx 3 classes"):
        Classifier(file, tmp_path / "names.txt")
    with pytest.raises(ModelRefused, match="cannot be read"):
        Classifier(file, tmp_path / "nowhere.txt")


def test_a_model_of_another_form_is_refused_by_its_form(tmp_path: Path):
    with pytest.raises(ModelRefused, match=r"takes tensor\(double\) \[None, 3, 32, 32\]; a classifier takes"):
        Classifier(averaging(tmp_path / "a.onnx", {}, TensorProto.DOUBLE))
    with pytest.raises(ModelRefused, match="its mean is not three numbers"):
        Classifier(averaging(tmp_path / "b.onnx", {"mean": "grey"}))
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "picture",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 8, 8, 3])],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, 8, 8, 3])],
        [numpy_helper.from_array(np.zeros(1, np.float32), "unused")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        tmp_path / "c.onnx",
    )
    with pytest.raises(ModelRefused, match="no classifier"):
        Classifier(tmp_path / "c.onnx")
