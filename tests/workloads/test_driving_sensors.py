"""With what a worker sees, and what is said where it cannot."""

from pathlib import Path

import pytest

from baygrid.workloads.detection import nanodet
from baygrid.workloads.driving.sensors import load
from baygrid.workloads.driving.values import Picture
from baygrid.workloads.models import ModelMissing

PICTURE = Picture(0.0, "/front", b"never decoded")


def test_without_a_detector_the_rest_goes_on_and_the_cure_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("BAYGRID_CACHE", str(tmp_path))
    perception = load(None, cameras=True)
    assert perception.seen(PICTURE) == ()
    assert nanodet.INSTALL in perception.blind


def test_pictures_that_are_left_out_need_no_detector(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("BAYGRID_CACHE", str(tmp_path))
    perception = load(None, cameras=False)
    assert perception.seen(PICTURE) == ()
    assert "asked" in perception.blind


def test_a_detector_that_was_asked_for_must_be_there(tmp_path: Path):
    with pytest.raises(ModelMissing):
        load(tmp_path / "none.onnx", cameras=True)
