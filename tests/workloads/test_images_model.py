"""The model says of real pictures what PyTorch says with the same weights."""

import numpy as np
import pytest

from baygrid.workloads.images import pictures
from baygrid.workloads.images.model import Classifier

# Computed with torch 2.13 from the package's own checkpoint, on the squares that decode() gives.
# The likeliest class and its logit, then the second.
GOLDEN = {
    "astronaut.png": ("bobsled", 450, 7.244, 560, 6.165),
    "camera.png": ("tripod", 872, 11.351, 447, 6.974),
    "chelsea.png": ("Egyptian cat", 285, 9.175, 282, 8.969),
    "coffee.png": ("espresso", 967, 11.066, 968, 6.915),
    "coins.png": ("golf ball", 574, 6.561, 971, 5.886),
    "hubble_deep_field.jpg": ("bubble", 971, 5.945, 111, 5.436),
    "motorcycle_left.png": ("moped", 665, 9.168, 670, 7.469),
    "retina.jpg": ("lampshade", 619, 6.150, 607, 5.379),
    "rocket.jpg": ("missile", 657, 7.013, 744, 6.364),
}

# Logits. Decoders of another version may round a pixel the other way; a wrong layer is off by whole numbers.
TOLERANCE = 0.05

FILES = {picture.path.name: picture.path for picture in pictures.photographs()}


@pytest.mark.parametrize("name", GOLDEN)
def test_labels_and_logits_are_those_of_pytorch(name: str, classifier: Classifier):
    label, first, first_logit, second, second_logit = GOLDEN[name]
    logits = classifier.logits([pictures.decode(FILES[name].read_bytes())])[0]
    assert np.argsort(-logits)[:2].tolist() == [first, second]
    assert classifier.labels[first] == label
    assert logits[[first, second]] == pytest.approx([first_logit, second_logit], abs=TOLERANCE)


def test_a_batch_gives_what_its_pictures_give_alone(classifier: Classifier):
    squares = [
        pictures.decode(FILES[name].read_bytes()) for name in ("chelsea.png", "coffee.png", "rocket.jpg")
    ]
    together = classifier.logits(squares)
    assert together.shape == (3, 1000)
    for square, row in zip(squares, together, strict=True):
        assert classifier.logits([square])[0] == pytest.approx(row, abs=1e-3)


def test_every_class_has_a_name(classifier: Classifier):
    assert len(classifier.labels) == 1000
    assert all(classifier.labels)
