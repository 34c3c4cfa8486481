"""Boxes of sweeps: what rays on upright boxes and a road are taken for."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baygrid.workloads.driving.lidar import detection
from baygrid.workloads.driving.lidar.polar import polar
from baygrid.workloads.driving.synthetic.cast import BEAMS, COLUMNS, cast
from baygrid.workloads.driving.values import CYCLIST, OTHER, PEDESTRIAN, VEHICLE, Sweep

CAR, PERSON, BICYCLE = (4.4, 1.8, 1.5), (0.6, 0.6, 1.75), (1.8, 0.6, 1.75)
EYE = 1.8


def sweep(*things, climb=0.0, noise=0.0):
    """What a lidar over the origin sees of things (x, y, yaw, length, width, height); the road climbs
    forward."""
    boxes = np.array(things, np.float64).reshape(-1, 6)
    reach, hit = cast(BEAMS, COLUMNS, EYE, boxes)
    beam, column = np.nonzero(hit > -2)
    away = reach[beam, column] + np.random.default_rng(3).normal(0, noise, len(beam))
    flat, look = away * np.cos(BEAMS[beam]), 2 * np.pi * column / COLUMNS - np.pi
    x, y = flat * np.cos(look), flat * np.sin(look)
    z = away * np.sin(BEAMS[beam]) + EYE + climb * x
    return Sweep(0.0, "/lidar", np.column_stack([x, y, z, np.zeros(len(x))]).astype(np.float32))


def found(*things, **how):
    return [box for box in detection.boxes(sweep(*things, **how)) if box.kind != OTHER]


@settings(max_examples=60, deadline=None)
@given(
    bearing=st.floats(0, 2 * math.pi),
    turned=st.floats(0, math.pi),
    away=st.floats(7, 25),
    noise=st.sampled_from([0.0, 0.02]),
)
def test_a_car_is_found_where_it_is_from_every_side(bearing, turned, away, noise):
    x, y = away * math.cos(bearing), away * math.sin(bearing)
    box, *pieces = sorted(found((x, y, turned, *CAR), noise=noise), key=lambda each: -each.points)
    assert box.kind == VEHICLE
    assert math.hypot(box.x - x, box.y - y) < 0.7
    # A side that the rays graze may come apart; its track takes it in.
    assert all(piece.score < box.score and piece.points < box.points / 5 for piece in pieces)
    assert box.length == pytest.approx(4.4, abs=0.4)
    assert box.width == pytest.approx(1.8, abs=0.4)
    assert abs(math.remainder(box.yaw - turned, math.pi)) < math.radians(6)


@pytest.mark.parametrize(
    ("size", "kind", "furthest"),
    [(CAR, VEHICLE, 30), (PERSON, PEDESTRIAN, 30), (BICYCLE, CYCLIST, 20)],
    ids=["car", "person", "bicycle"],
)
def test_things_are_told_apart_by_their_sizes(size, kind, furthest):
    for away in range(6, furthest + 1, 3):
        _told(size, kind, away)


def _told(size, kind, away):
    (box,) = found((0.8 * away, 0.6 * away, 0.1, *size), noise=0.02)
    assert box.kind == kind
    assert math.hypot(box.x - 0.8 * away, box.y - 0.6 * away) < 0.6


@pytest.mark.parametrize("away", [5, 8, 15, 30])
def test_poles_and_walls_are_no_traffic(away):
    assert found((away, 1.0, 0.0, 0.25, 0.25, 5.0)) == []
    assert found((3.0, away, 0.0, 12.0, 4.0, 6.0)) == []


def test_each_of_two_cars_parked_close_has_its_box():
    boxes = found((8.0, -4.0, 0.0, *CAR), (13.4, -4.0, 0.0, *CAR), noise=0.02)
    assert sorted(round(box.x) for box in boxes) == [8, 13]


@pytest.mark.parametrize("climb", [-0.06, 0.06])
def test_a_road_that_climbs_is_still_a_road(climb):
    assert detection.boxes(sweep(climb=climb, noise=0.02)) == ()
    (box,) = found((20.0, 3.0, 0.0, *CAR), climb=climb, noise=0.02)
    assert box.kind == VEHICLE
    assert box.z - box.height / 2 == pytest.approx(climb * 18, abs=0.3)


def test_the_same_points_make_the_same_boxes_in_any_order_they_come():
    one = sweep((10.0, 3.0, 0.4, *CAR), (7.0, -5.0, 0.0, *PERSON), noise=0.02)
    order = np.random.default_rng(1).permutation(len(one.points))
    other = Sweep(0.0, "/lidar", one.points[order])
    assert detection.boxes(one) == detection.boxes(one)
    here, there = ({(b.kind, b.points) for b in detection.boxes(s)} for s in (one, other))
    assert here == there


@pytest.mark.parametrize(
    "points",
    [
        np.empty((0, 4), np.float32),
        np.full((50, 4), np.nan, np.float32),
        np.full((50, 4), 1e30, np.float32),
        np.zeros((50, 4), np.float32),
    ],
    ids=["none", "nan", "far", "one place"],
)
def test_nonsense_makes_no_boxes(points):
    assert detection.boxes(Sweep(0.0, "/lidar", points)) == ()


def test_noise_makes_no_more_boxes_than_a_street_holds():
    points = np.random.default_rng(0).uniform((-70, -70, 0, 0), (70, 70, 3, 1), (200_000, 4))
    boxes = detection.boxes(Sweep(0.0, "/lidar", points.astype(np.float32)))
    assert len(boxes) <= detection.MOST


def test_distance_and_bearing_are_those_of_the_c_library():
    points = np.random.default_rng(1).normal(0, 30, (20_000, 4)).astype(np.float32)
    corners = [(0, 0), (0, 1), (-1, 0), (1, 0), (0, -3), (2, 2), (-2, 2), (1e-30, 50)]
    points[: len(corners), :2] = np.array(corners)
    away, bearing = polar(points)
    x, y = points[:, 0].astype(float), points[:, 1].astype(float)
    assert np.abs(bearing - np.arctan2(y, x)).max() < 2e-7  # half of the last bit of a single
    assert np.abs(away / np.maximum(np.hypot(x, y), 1e-30) - 1)[1:].max() < 2e-7
    assert away[0] == 0
