"""The synthetic drive: what is said to be true of it is true, and the same seed makes the same drive."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("mcap_ros2")

from baygrid.workloads.driving import values
from baygrid.workloads.driving.scenarios import limits
from baygrid.workloads.driving.synthetic import writing
from baygrid.workloads.driving.synthetic.drive import Drive, drive
from baygrid.workloads.driving.synthetic.truth import truth


@pytest.fixture(scope="module")
def made() -> Drive:
    return drive(1)


def test_each_kind_of_scenario_is_planted(made: Drive) -> None:
    for seed in range(8):
        assert {event.kind for event in drive(seed).events} == set(values.EVENTS)
    assert all(0 <= event.begin < event.end <= made.seconds for event in made.events)


def test_the_own_motion_agrees_with_itself(made: Drive) -> None:
    way = made.trajectory
    step = np.hypot(np.diff(way.x), np.diff(way.y)) / np.diff(way.t)
    assert np.abs(step - (way.speed[1:] + way.speed[:-1]) / 2).max() < 0.1
    moving = way.speed > 2
    turned = np.gradient(way.yaw, way.t)
    assert np.abs(turned - way.yaw_rate)[moving].max() < 0.02
    assert way.acceleration.min() < -limits.BRAKE


def test_points_lie_on_the_boxes_that_are_said_to_be_there(made: Drive) -> None:
    seen = 0
    for number in range(0, len(made.sweep_times), 100):
        sweep, boxes = made.sweep(number)
        assert sweep.points.dtype == np.float32
        assert np.isfinite(sweep.points).all()
        for box in boxes:
            c, s = np.cos(box.yaw), np.sin(box.yaw)
            dx, dy = sweep.points[:, 0] - box.x, sweep.points[:, 1] - box.y
            along, aside = c * dx + s * dy, c * dy - s * dx
            inside = (np.abs(along) < box.length / 2 + 0.1) & (np.abs(aside) < box.width / 2 + 0.1)
            inside &= sweep.points[:, 2] > 0.05
            assert inside.sum() >= 0.8 * box.points - 2
            seen += box.points > 10
    assert seen > 30


def test_the_same_seed_makes_the_same_drive(made: Drive) -> None:
    again, other = drive(1), drive(2)
    assert again.events == made.events
    assert other.events != made.events
    (first, boxes), (same, _) = next(made.sweeps()), next(again.sweeps())
    assert np.array_equal(first.points, same.points)
    assert len(boxes) > 3


def test_only_what_is_planted_comes_near(made: Drive) -> None:
    """No passer-by makes a scenario that the truth does not tell: what is near on foot or wheels is
    planted."""
    front, rear, half = limits.OUTLINE
    planted = {event.track for event in made.events}
    for number, t in enumerate(made.sweep_times):
        near, boxes = made.around(number)
        ahead = made.route.along(t) + np.arange(40.0)
        straight = np.abs(made.route.curve(ahead)).max() < 1e-9
        for thing, (x, y, _, length, _, _) in zip(near, boxes, strict=True):
            if made.things[thing].kind in values.VULNERABLE and thing not in planted:
                off = max(x - front - length / 2, rear - x - length / 2, 0.0)
                assert np.hypot(off, max(abs(y) - half - 0.3, 0.0)) >= limits.NEAR, (t, thing)
            if made.things[thing].kind == values.VEHICLE and thing not in planted and straight and x > front:
                assert abs(y) > limits.LANE / 2 or x > 25


def test_a_drive_that_is_there_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the writing of it ends, at whatever time."""
    path = tmp_path / "short.mcap"

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("_frames", "_write_truth"):
        with monkeypatch.context() as patch:
            patch.setattr(writing, name, stopped)
            with pytest.raises(KeyboardInterrupt):
                writing.write(drive(1, 1.0), path)
        assert not list(tmp_path.glob("*.mcap"))
    writing.write(drive(1, 1.0), path)
    assert truth(path) is not None
    assert {each.name.partition(".")[2] for each in tmp_path.iterdir()} == {
        "mcap", "truth.json", "truth-boxes.parquet",
    }  # fmt: skip
