"""What a worker makes of a window, whatever its pictures do to the decoder and the detector."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("mcap_ros2")

from baygrid.workloads.driving.application import Driving
from baygrid.workloads.driving.sensors import Perception
from baygrid.workloads.driving.synthetic.drive import drive
from baygrid.workloads.driving.synthetic.writing import write
from baygrid.workloads.driving.values import Box2D, Picture
from baygrid.workloads.driving.worker import DrivingWorker


@pytest.mark.parametrize(
    "error", [cv2.error("no space"), ValueError("cut off"), MemoryError(), ZeroDivisionError()]
)
def test_a_picture_that_breaks_the_detector_is_the_only_one_lost(tmp_path: Path, error: Exception) -> None:
    write(drive(1, 1.0), tmp_path / "short.mcap")

    def detector(picture: Picture) -> tuple[Box2D, ...]:
        if picture.t > 0.55:
            raise error
        return (Box2D(picture.topic, 1.0, 2.0, 3.0, 4.0, "car", 0.5),)

    (shard,) = Driving(str(tmp_path)).shards()
    done = DrivingWorker(Perception(detector))(shard)
    what = np.array(done.rows["what"].to_pylist())
    assert [(what == kind).sum() for kind in ("sweep", "picture", "seen")] == [10, 6, 6]
    (failed,) = done.failed
    assert (str(error) or type(error).__name__) in failed.reason
    assert "4 messages" in failed.reason
