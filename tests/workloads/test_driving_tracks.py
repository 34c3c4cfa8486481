"""Tracks of boxes made by hand: one thing, one track, at rest where it rests."""

import math
from collections import Counter
from itertools import combinations, groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.workloads.driving.tracking.fusion import Views
from baygrid.workloads.driving.tracking.smoothing import follow
from baygrid.workloads.driving.values import (
    CYCLIST,
    OTHER,
    PEDESTRIAN,
    VEHICLE,
    Box2D,
    Box3D,
    Camera,
    Frame,
    Trajectory,
)

AHEAD = (0.0, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.5, 0.0, 0.0, 0.0, 1.0)
CAMERA = Camera("/front", 1000, 600, 500.0, 500.0, 500.0, 300.0, AHEAD)


def way(speed=0.0, seconds=20.0):
    t = np.arange(0.0, seconds, 0.05)
    still = np.zeros(len(t))
    return Trajectory(t, speed * t, still, still, still, still + speed, still, still, still)


def box(x, y, size=(4.4, 1.8, 1.5), yaw=0.0, kind=VEHICLE, points=100, score=0.9):
    length, width, height = size
    return Box3D(x, y, height / 2, length, width, height, yaw, kind, points, score)


def person(x, y, **more):
    return box(x, y, (0.6, 0.6, 1.75), kind=PEDESTRIAN, **more)


def tracks(seen, trajectory=None, pictures=(), views=None):
    """Rows of the boxes that `seen` gives for each time."""
    frames = [Frame(round(k * 0.1, 3), "/lidar", boxes=tuple(boxes)) for k, boxes in enumerate(seen)]
    both = sorted([*frames, *pictures], key=lambda frame: frame.t)
    return list(follow(both, trajectory or way(), views or Views([CAMERA])))


def noise(number):
    return np.random.default_rng(number).normal(0, 0.05, 2)


def test_a_parked_car_that_we_pass_is_one_track_at_rest():
    rows = tracks([[box(40 - k * 1.0 + noise(k)[0], -4 + noise(k)[1])] for k in range(80)], way(10.0))
    assert len({row.track for row in rows}) == 1
    assert len(rows) == 80
    assert {(row.vx, row.vy) for row in rows[10:]} == {(0.0, 0.0)}
    assert all(math.hypot(row.x - 40, row.y + 4) < 0.1 for row in rows)
    assert rows[0].ahead == pytest.approx(40, abs=0.1)
    assert rows[-1].ahead == pytest.approx(-39, abs=0.1)


@pytest.mark.parametrize("speed", [-12.0, 12.0])
def test_a_car_that_goes_has_its_velocity(speed):
    rows = tracks([[box(-speed * 2 + speed * 0.1 * k + noise(k)[0], 4)] for k in range(40)])
    assert len({row.track for row in rows}) == 1
    assert rows[-1].vx == pytest.approx(speed, abs=0.5)
    assert rows[-1].vy == pytest.approx(0.0, abs=0.5)
    assert abs(math.remainder(rows[-1].yaw - (0 if speed > 0 else math.pi), math.tau)) < 0.1


def test_cars_that_meet_keep_their_tracks():
    rows = tracks([[box(-20 + k, 0), box(20 - k, 2.5)] for k in range(40)])
    east, west = (
        {row.track for row in rows if side(row)} for side in (lambda r: r.vx > 5, lambda r: r.vx < -5)
    )
    assert len(east) == len(west) == 1
    assert east != west


def test_what_is_hidden_for_a_while_is_the_same_after():
    hidden = range(20, 27)
    rows = tracks([[] if k in hidden else [box(5 + 0.8 * k, 3)] for k in range(60)])
    assert len({row.track for row in rows}) == 1
    assert len(rows) == 60
    assert [round(row.t * 10) for row in rows if row.points == 0] == list(hidden)
    assert all(abs(row.x - 5 - 8 * row.t) < 0.5 for row in rows)


def test_what_is_not_seen_again_ends_when_it_was_last_seen():
    rows = tracks([[box(15, 3)] if k < 20 else [] for k in range(60)])
    assert max(row.t for row in rows) == pytest.approx(1.9)


def test_a_car_that_falls_to_pieces_is_one_car():
    pieces = [person(13.3, 3.4), box(16.5, 2.5, (0.9, 0.5, 1.0), kind=OTHER, score=0.2)]
    rows = tracks([pieces if k % 7 == 5 else [box(15, 3)] for k in range(50)])
    assert {(row.track, row.kind) for row in rows} == {(1, VEHICLE)}
    assert all(math.hypot(row.x - 15, row.y - 3) < 0.3 for row in rows)


def test_a_piece_that_turns_out_to_be_a_car_stands_where_the_car_is():
    piece = [person(27.8, 2.4, points=6) for _ in range(20)]
    rows = tracks([[piece[k] if k < 20 else box(30, 3)] for k in range(60)])
    last = rows[-1]
    assert (last.kind, last.length) == (VEHICLE, pytest.approx(4.4, abs=0.1))
    assert math.hypot(last.x - 30, last.y - 3) < 0.3
    assert len({row.track for row in rows}) == 1


def test_a_flicker_is_no_track():
    rows = tracks([[box(20, 5)] if k in (10, 11) else [] for k in range(40)])
    assert rows == []


def test_one_on_foot_who_is_too_fast_rides():
    rows = tracks([[person(5 + 0.45 * k, 4)] for k in range(60)])
    assert len({row.track for row in rows}) == 1
    assert rows[-1].kind == CYCLIST


def _least_distance(places, pace):
    """Of any two things (n, 2) in four seconds, from centre to centre."""
    ways = places + pace * 0.1 * np.arange(40)[:, None, None]
    apart = np.linalg.norm(ways[:, :, None] - ways[:, None, :], axis=-1)
    return apart[:, *np.triu_indices(len(places), 1)].min()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_no_two_tracks_stay_in_one_place_and_none_is_twice(seed):
    """Things in random places that come and go, with boxes missing, doubled and broken. None drives through
    another: that no car does."""
    rng = np.random.default_rng(seed)
    places = pace = np.zeros((6, 2))
    while _least_distance(places, pace) < 5:
        places = rng.uniform(-25, 25, (6, 2))
        pace = rng.uniform(-8, 8, (6, 2)) * (rng.random((6, 1)) < 0.5)

    def around(k):
        boxes = []
        for place, speed in zip(places, pace, strict=True):
            x, y = place + speed * 0.1 * k + rng.normal(0, 0.1, 2)
            if rng.random() < 0.8:
                boxes.append(box(x, y, yaw=rng.normal(0, 0.05)))
            if rng.random() < 0.3:
                boxes.append(person(x + rng.uniform(-2, 2), y + rng.uniform(-0.8, 0.8)))
        return boxes

    rows = tracks([around(k) for k in range(40)])
    together: Counter[tuple[int, int]] = Counter()
    for t, group in groupby(rows, key=lambda row: row.t):
        here = list(group)
        assert len({row.track for row in here}) == len(here), t
        for one, two in combinations(here, 2):
            if {one.kind, two.kind} == {VEHICLE} and one.points and two.points:
                together[one.track, two.track] += math.hypot(one.x - two.x, one.y - two.y) < 0.5
    # Of a thing seen in two pieces from the first, the second track ends when both were seen often enough.
    assert all(sweeps <= 10 for sweeps in together.values()), together


def test_rows_come_sweep_by_sweep_whatever_the_order_of_tracks():
    rows = tracks([[box(10 + k, 3), person(5, -4), box(20, -7)] for k in range(50)])
    assert [row.t for row in rows] == sorted(row.t for row in rows)
    assert tracks([[box(10 + k, 3), person(5, -4), box(20, -7)] for k in range(50)]) == rows


def lorry(k):
    return box(20, 0, (8.0, 2.5, 3.2), kind=OTHER, score=0.3)


def picture(k, label, score, around=(460, 245, 540, 348)):
    left, top, right, bottom = around
    return Frame(k * 0.1 + 0.05, "/front", seen=(Box2D("/front", left, top, right, bottom, label, score),))


def test_what_only_the_lidar_sees_and_knows_no_kind_of_is_no_row():
    assert tracks([[lorry(k)] for k in range(40)]) == []


def test_a_camera_that_is_sure_tells_the_kind_and_is_counted():
    rows = tracks([[lorry(k)] for k in range(40)], pictures=[picture(k, "truck", 0.9) for k in range(39)])
    assert {row.kind for row in rows} == {VEHICLE}
    assert rows[-1].seen == 1


@pytest.mark.parametrize(
    ("label", "score", "around"),
    [
        ("truck", 0.3, (460, 245, 540, 348)),
        ("bench", 0.9, (460, 245, 540, 348)),
        ("truck", 0.9, (0, 0, 200, 600)),
    ],
    ids=["unsure", "no traffic", "elsewhere"],
)
def test_a_camera_that_sees_something_else_tells_nothing(label, score, around):
    pictures = [picture(k, label, score, around) for k in range(39)]
    assert tracks([[lorry(k)] for k in range(40)], pictures=pictures) == []


def test_what_only_a_camera_sees_is_counted():
    views, car = Views([CAMERA]), [[box(20, 0, (8.0, 2.5, 3.2))] for _ in range(40)]
    seen = [picture(k, "car", 0.9) for k in range(20, 30)]
    beside = [picture(k, "person", 0.9, (0, 200, 60, 400)) for k in range(30, 35)]
    tracks(car, pictures=[*seen, *beside], views=views)
    assert views.alone == {PEDESTRIAN: 5}


def test_without_sweeps_there_are_no_tracks():
    assert tracks([], pictures=[picture(k, "car", 0.9) for k in range(10)]) == []
