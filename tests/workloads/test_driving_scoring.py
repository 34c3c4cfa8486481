"""Scores of what is known to be right, wrong, missing, doubled; and of a whole synthetic drive."""

import math
from dataclasses import replace

import numpy as np
import pytest

from baygrid.workloads.driving.evaluation import scoring
from baygrid.workloads.driving.geometry.overlap import overlaps
from baygrid.workloads.driving.lidar import detection
from baygrid.workloads.driving.scenarios.detection import events
from baygrid.workloads.driving.synthetic.drive import drive
from baygrid.workloads.driving.tracking.fusion import Views
from baygrid.workloads.driving.tracking.smoothing import follow
from baygrid.workloads.driving.values import (
    PEDESTRIAN,
    STOP,
    TURN,
    VEHICLE,
    Event,
    Frame,
    Tracked,
    Trajectory,
    Truth,
    TruthBox,
)


def rectangles(*rows):
    return np.array(rows, float)


@pytest.mark.parametrize(
    ("two", "shared"),
    [
        ((0, 0, 0, 4, 2), 1.0),
        ((0, 0, math.pi, 4, 2), 1.0),
        ((2, 0, 0, 4, 2), 1 / 3),
        ((0, 0, math.pi / 2, 4, 2), 4 / 12),
        ((4.1, 0, 0, 4, 2), 0.0),
        ((0, 0, math.pi / 4, 0.1, 0.1), 0.01 / 8),
    ],
)
def test_overlap_of_rectangles(two, shared):
    one = (0, 0, 0, 4, 2)
    assert overlaps(rectangles(one), rectangles(two))[0, 0] == pytest.approx(shared)
    turned = [(c * x - s * y + 3, s * x + c * y - 7, yaw + 0.7, a, b) for x, y, yaw, a, b in (one, two)
              for c, s in [(math.cos(0.7), math.sin(0.7))]]  # fmt: skip
    assert overlaps(rectangles(turned[0]), rectangles(turned[1]))[0, 0] == pytest.approx(shared)


TIMES = [round(0.1 * k, 1) for k in range(10)]


def truth(*things, events=()):
    """A kilometre along x, with things (number, kind, x, y, points) that stay before the vehicle."""
    t = np.linspace(0.0, 0.9, 19)
    still = np.zeros(len(t))
    own = Trajectory(t, t / 0.9 * 1000, still, still, still, still, still, still, still)
    boxes = [
        TruthBox(at, number, kind, x, y, 0.75, 4.4, 1.8, 1.5, 0.0, 0.0, 0.0, points)
        for at in TIMES
        for number, kind, x, y, points in things
    ]
    return Truth(own, boxes, events)


def row(t, track, x, y, kind=VEHICLE):
    return Tracked(t, track, kind, 0, 0, 0.75, 4.4, 1.8, 1.5, 0.0, 0.0, 0.0, x, y, 50, 0, 0.9)


def test_what_is_all_right_has_full_marks():
    scores = scoring.boxes([row(t, 1, 10, 2) for t in TIMES], truth((7, VEHICLE, 10, 2, 99)))
    car = scores[VEHICLE]
    assert (car["recall"], car["precision"], car["mean_overlap"], car["rms_centre_m"]) == (1.0, 1.0, 1.0, 0.0)
    assert (scores["tracks_per_thing"], scores["switches_per_km"], scores["interruptions_per_km"]) == (
        1,
        0,
        0,
    )


def test_what_is_missing_wrong_or_of_another_kind_is_counted():
    true = truth((7, VEHICLE, 10, 2, 99), (8, VEHICLE, 30, 2, 99), (9, PEDESTRIAN, 5, -5, 20))
    rows = [each for t in TIMES for each in (row(t, 1, 10, 2), row(t, 2, 20, 20), row(t, 3, 5, -5))]
    scores = scoring.boxes(rows, true)
    assert scores[VEHICLE]["recall"] == 0.5
    assert scores[VEHICLE]["recall_by_range"] == {"<20 m": 1.0, "<40 m": 0.0, "<60 m": None}
    assert scores[VEHICLE]["precision"] == pytest.approx(1 / 3, abs=1e-4)
    assert scores[PEDESTRIAN]["recall"] == 0.0


def test_what_hardly_any_ray_meets_need_not_be_found_but_may():
    few = truth((7, VEHICLE, 10, 2, scoring.POINTS - 1))
    assert scoring.boxes([], few) == scoring.boxes([], truth())
    assert scoring.boxes([row(t, 1, 10, 2) for t in TIMES], few)[VEHICLE]["precision"] == 1.0


def test_a_second_track_on_one_thing_is_wrong():
    rows = [each for t in TIMES for each in (row(t, 1, 10, 2), row(t, 2, 10.5, 2))]
    assert scoring.boxes(rows, truth((7, VEHICLE, 10, 2, 99)))[VEHICLE]["precision"] == 0.5


def test_switches_and_interruptions():
    rows = [row(t, 1 if t < 0.5 else 2, 10, 2) for t in TIMES if t != 0.3]
    scores = scoring.boxes(rows, truth((7, VEHICLE, 10, 2, 99)))
    assert (scores["switches_per_km"], scores["interruptions_per_km"], scores["tracks_per_thing"]) == (
        1,
        1,
        2,
    )


def event(kind, begin, end):
    return Event(kind, begin, end, None, 0.0, 0.0, 0.0)


def test_each_planted_event_is_found_at_most_once():
    planted = truth(events=[event(STOP, 10, 15), event(STOP, 40, 45), event(TURN, 20, 25)])
    found = [event(STOP, 10.5, 14), event(STOP, 14.2, 15), event(STOP, 60, 61), event(TURN, 26.5, 30)]
    scores = scoring.events(found, planted)
    assert scores["by_kind"][STOP] == {"planted": 2, "found": 1, "missed": 1, "false": 2}
    assert scores["by_kind"][TURN] == {"planted": 1, "found": 0, "missed": 1, "false": 1}
    assert scores["false_per_km"] == pytest.approx(3.0)
    moved = [replace(each, begin=each.begin - 0.9, end=each.end - 0.9) for each in planted.events]
    assert scoring.events(moved, planted)["false_per_km"] == 0.0


@pytest.mark.slow
def test_a_synthetic_drive_is_seen_and_told():
    """65 s in which each kind of scenario is planted once."""
    made = drive(seed=3)
    sweeps, boxes = zip(*made.sweeps(), strict=True)
    frames = [Frame(sweep.t, sweep.topic, boxes=detection.boxes(sweep)) for sweep in sweeps]
    true = Truth(made.trajectory, [box for each in boxes for box in each], made.events)
    rows = list(follow(frames, made.trajectory, Views([])))
    scores = scoring.boxes(rows, true)
    for kind in (VEHICLE, PEDESTRIAN):
        assert scores[kind]["recall"] > 0.9, scores
        assert scores[kind]["precision"] > 0.9, scores
    assert scores["tracks_per_thing"] < 1.5
    told = scoring.events(events(made.trajectory, rows), true)
    assert {kind: each["missed"] for kind, each in told["by_kind"].items()} == dict.fromkeys(
        told["by_kind"], 0
    )
    assert told["false_per_km"] <= 1.0, told
