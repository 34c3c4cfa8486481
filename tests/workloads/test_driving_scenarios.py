"""Scenarios of ways and tracks made by hand: each is told once, and what only looks like one is not."""

import numpy as np
import pytest

from baygrid.workloads.driving import values
from baygrid.workloads.driving.scenarios import limits
from baygrid.workloads.driving.scenarios.detection import events
from baygrid.workloads.driving.scenarios.hysteresis import Watch, spans
from baygrid.workloads.driving.values import CYCLIST, PEDESTRIAN, VEHICLE, Tracked, Trajectory

T = np.arange(0.0, 30.0, 0.05)


def way(speed, yaw=None, acceleration=None):
    """A drive of 30 s at `speed` (a number, or one for each time), with a yaw for each time."""
    v = np.broadcast_to(np.asarray(speed, float), T.shape)
    yaw = np.zeros(len(T)) if yaw is None else yaw
    x, y = (np.concatenate([[0.0], np.cumsum(v * f(yaw) * 0.05)[:-1]]) for f in (np.cos, np.sin))
    still = np.zeros(len(T))
    slowing = np.gradient(v, 0.05) if acceleration is None else acceleration
    return Trajectory(T, x, y, still, yaw, v, np.gradient(yaw, 0.05), slowing, still)


def track(trajectory, ahead, left, kind=VEHICLE, number=1, size=(4.4, 1.8, 1.5)):
    """Rows of a thing at `ahead` of the own place and `left` in the world: numbers, or of the time."""
    rows, before = [], None
    for t in np.arange(0.0, 29.9, 0.1).round(3):
        pose = trajectory.at(t)
        a, b = (value(t) if callable(value) else value for value in (ahead, left))
        x, y = pose.x + a, b
        vx, vy = (0.0, 0.0) if before is None else ((x - before[0]) / 0.1, (y - before[1]) / 0.1)
        before = (x, y)
        long, wide, high = size
        there = (t, number, kind, x, y, 0.75, long, wide, high, 0.0, vx, vy, a, y - pose.y, 50, 0, 0.9)
        rows.append(Tracked(*there))
    return rows


def told(trajectory, *tracks):
    rows = sorted((row for each in tracks for row in each), key=lambda row: row.t)
    return [(event.kind, event.track) for event in events(trajectory, rows)]


def ramp(begin, end, low, high):
    return lambda t: float(np.interp(t, [begin, end], [low, high]))


def test_an_even_drive_tells_nothing():
    assert told(way(10.0)) == []
    assert told(way(10.0), track(way(10.0), 40.0, 0.0), track(way(10.0), 12.0, 3.5, number=2)) == []


def test_a_stop_is_told_once_though_the_speed_trembles():
    v = np.interp(T, [5, 9, 14, 18], [10, 0, 0, 10])
    v = np.where((T > 9) & (T < 14), 0.45 + 0.4 * np.sin(20 * T), v)
    (event,) = [event for event in events(way(v), []) if event.kind == values.STOP]
    assert event.begin == pytest.approx(8.9, abs=0.3)
    assert event.value == pytest.approx(5.0, abs=0.6)


def test_slowing_down_is_hard_from_the_limit_on():
    def braking(rate):
        return told(way(np.interp(T, [10, 10 + 8 / rate], [10, 2])))

    assert braking(2.8) == []
    assert braking(4.0) == [(values.HARD_BRAKE, None)]


def test_a_jerk_shorter_than_the_limit_is_no_braking():
    assert told(way(10.0, acceleration=np.where((T > 5) & (T < 5.3), -6.0, 0.0))) == []


@pytest.mark.parametrize(("angle", "side"), [(np.pi / 2, 1), (-np.pi / 2, -1)])
def test_a_turn_has_its_side(angle, side):
    (event,) = events(way(6.0, np.interp(T, [10, 15], [0, angle])), [])
    assert event.kind == values.TURN
    assert event.value == pytest.approx(angle, abs=0.1)
    assert np.sign(event.value) == side


def test_a_bend_and_a_swerve_are_no_turns():
    assert told(way(10.0, np.interp(T, [10, 15], [0, 0.5]))) == []
    assert told(way(10.0, np.interp(T, [10, 13, 16], [0, 0.5, 0]))) == []


def headway(seconds, speed=10.0, left=0.0):
    own = way(speed)
    gap = seconds * speed + limits.OUTLINE[0] + 2.2
    return told(own, track(own, lambda t: gap if 5 < t < 15 else gap + 40, left))


def test_a_short_headway_is_one_in_the_own_lane_at_speed():
    assert headway(0.7) == [(values.SHORT_HEADWAY, 1)]
    assert headway(1.3) == []
    assert headway(0.7, left=3.5) == []
    assert headway(0.7, speed=3.0) == []


def test_a_headway_that_trembles_is_told_once():
    own = way(10.0)
    gap = lambda t: 15.9 + np.sin(9 * t) if 5 < t < 15 else 60.0  # noqa: E731
    assert told(own, track(own, gap, 0.0)) == [(values.SHORT_HEADWAY, 1)]


def test_a_car_that_comes_over_cuts_in():
    own = way(10.0)
    assert told(own, track(own, 20.0, ramp(8, 11, 3.5, 0.0))) == [(values.CUT_IN, 1)]
    assert told(own, track(own, 20.0, ramp(8, 11, -3.5, 0.0))) == [(values.CUT_IN, 1)]


@pytest.mark.parametrize(
    ("ahead", "left"),
    [
        (45.0, ramp(8, 11, 3.5, 0.0)),
        (20.0, ramp(8, 11, 3.5, 1.4)),
        (20.0, ramp(8, 11, 0.0, 3.5)),
        (lambda t: 250 - 20 * t, ramp(8, 11, 3.5, 0.0)),
        (-8.0, ramp(8, 11, 3.5, 0.0)),
    ],
    ids=["far ahead", "only to the edge", "leaves", "comes towards us", "behind"],
)
def test_what_is_no_cut_in(ahead, left):
    own = way(10.0)
    assert (values.CUT_IN, 1) not in told(own, track(own, ahead, left))


def test_a_car_that_comes_over_twice_cuts_in_twice():
    own = way(10.0)
    left = lambda t: float(np.interp(t, [4, 7, 12, 15, 20, 23], [3.5, 0, 0, 3.5, 3.5, 0]))  # noqa: E731
    assert told(own, track(own, 22.0, left)) == [(values.CUT_IN, 1)] * 2


def test_we_change_lanes_behind_a_car_and_it_has_not_cut_in():
    """The own way goes over by a lane's width in 3 s; the car ahead was in that lane all the time."""
    aside = 3.5 * np.clip((T - 10) / 3, 0, 1)
    own = way(10.0, np.arctan2(np.gradient(aside, 0.05), 10.0))
    assert own.y[-1] == pytest.approx(3.5, abs=0.1)
    assert told(own, track(own, 20.0, 3.5)) == []


@pytest.mark.parametrize("kind", [PEDESTRIAN, CYCLIST])
def test_somebody_near_is_told_once_while_we_go(kind):
    size = (0.6, 0.6, 1.75)

    def passing(speed, left):
        own = way(speed)
        return told(own, track(own, lambda t: 60 - speed * t, left, kind, size=size))

    assert passing(6.0, 2.5) == [(values.VULNERABLE_NEAR, 1)]
    assert passing(6.0, 5.0) == []
    standing = way(0.0)
    assert told(standing, track(standing, 3.0, 2.0, kind, size=size)) == [(values.STOP, None)]


def test_a_drive_of_no_length_tells_nothing():
    empty = np.zeros(0)
    assert events(Trajectory(*[empty] * 9), []) == []


def test_a_span_goes_on_within_its_second_limit_and_lasts_long_enough():
    def of(*values):
        watch = Watch(enter=1.0, leave=2.0, least=0.2)
        return [(s.begin, s.end, s.worst) for s in spans(((0.1 * k, v) for k, v in enumerate(values)), watch)]

    assert of(3, 0.5, 1.5, 0.4, 1.5, 3) == [(0.1, pytest.approx(0.3), 0.4)]
    assert of(3, 0.5, 3, 0.5, 3) == []
    assert of(0.5, 0.6, 0.7) == [(0.0, pytest.approx(0.2), 0.5)]
