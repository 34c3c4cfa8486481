"""The scenarios of a drive, by the definitions in limits.py, each told once.

The definitions are Baygrid's own but for these: two seconds is the gap that the United Kingdom's Highway
Code (rule 126) asks for, and half of it counts as short here; 3 m/s^2 is a little under the 3.4 m/s^2 that
AASHTO's "A Policy on Geometric Design of Highways and Streets" takes for a comfortable deceleration. What
trembles around a limit does not end an event: each has a second limit at which it ends, below."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

import numpy as np

from baygrid.workloads.driving import values
from baygrid.workloads.driving.scenarios import limits
from baygrid.workloads.driving.scenarios.hysteresis import Span, Watch, spans
from baygrid.workloads.driving.scenarios.lane import Beside, Way
from baygrid.workloads.driving.values import VEHICLE, VULNERABLE, Event, Pose, Tracked, Trajectory

_STOP_LEFT: Final = 1.0
_BRAKE_LEFT: Final = 2.0
_TURN_LEFT: Final = 0.05
_HEADWAY_LEFT: Final = 1.2
_NEAR_LEFT: Final = 3.5
_NEAR_SECONDS: Final = 0.2
"""Where an event ends: m/s, m/s^2, rad/s, s, m; and how long somebody must be near."""
_OUR_WAY: Final = 2.0
"""m/s along the own way that a vehicle must make to go our way."""
_BEFORE: Final = 0.3
"""Metres outside of the lane that it must have been before it cuts in."""
_BEGINS: Final = 0.25
"""Metres towards our lane after which its sideways motion has begun."""
_AROUND: Final = 15.0
"""Metres of our way before and behind its coming over in which we may have changed lanes."""
_HISTORY: Final = 6.0
"""Seconds for which the places of other vehicles are remembered."""
_FAR: Final = 1e9


def events(trajectory: Trajectory, tracked: Iterable[Tracked]) -> list[Event]:
    """The events of a drive by their begin, from the own way and the tracks, which come sweep by sweep in
    order of time. Without tracks (no lidar) those of the own motion alone."""
    if len(trajectory) < 2:
        return []
    found = [*_own(trajectory), *_others(trajectory, tracked)]
    return sorted(found, key=lambda event: (event.begin, event.kind, event.track or 0))


def _own(trajectory: Trajectory) -> Iterator[Event]:
    """Stops, hard braking, turns."""
    t = trajectory.t
    slow = Watch(limits.STOP_SPEED, _STOP_LEFT, limits.STOP_SECONDS)
    for span in spans(zip(t, np.abs(trajectory.speed), strict=True), slow):
        yield _event(values.STOP, span, span.end - span.begin, trajectory)
    brake = Watch(-limits.BRAKE, -_BRAKE_LEFT, limits.BRAKE_SECONDS)
    for span in spans(zip(t, trajectory.acceleration, strict=True), brake):
        yield _event(values.HARD_BRAKE, span, -span.worst, trajectory)
    for side in (1.0, -1.0):
        watch = Watch(-limits.TURN_RATE, -_TURN_LEFT, 0.0)
        for span in spans(zip(t, -side * trajectory.yaw_rate, strict=True), watch):
            begin, end = (float(np.interp(at, t, trajectory.yaw)) for at in (span.begin, span.end))
            if abs(end - begin) > limits.TURN_ANGLE:
                yield _event(values.TURN, span, end - begin, trajectory)


def _event(kind: str, span: Span, value: float, trajectory: Trajectory) -> Event:
    pose = trajectory.at(span.at)
    return Event(kind, float(span.begin), float(span.end), span.label, float(value), pose.x, pose.y)


def _others(trajectory: Trajectory, tracked: Iterable[Tracked]) -> Iterator[Event]:
    """Short headways, cut-ins, people near."""
    way = Way(trajectory)
    headway = Watch(limits.HEADWAY, _HEADWAY_LEFT, limits.HEADWAY_SECONDS)
    near: dict[int, Watch] = {}
    cut_ins = _CutIns(way)
    for t, group in groupby(tracked, key=lambda row: row.t):
        rows, pose = list(group), trajectory.at(t)
        vehicles = [row for row in rows if row.kind == VEHICLE]
        places = list(zip(vehicles, way.beside(t, vehicles), strict=True))
        span = headway.feed(t, *_headway(places, pose))
        if span:
            yield _event(values.SHORT_HEADWAY, span, span.worst, trajectory)
        for span in _near(t, [row for row in rows if row.kind in VULNERABLE], pose, near):
            yield _event(values.VULNERABLE_NEAR, span, span.worst, trajectory)
        for span in cut_ins.feed(t, places, pose):
            yield _event(values.CUT_IN, span, span.worst, trajectory)
    if span := headway.end():
        yield _event(values.SHORT_HEADWAY, span, span.worst, trajectory)
    for watch in near.values():
        if span := watch.end():
            yield _event(values.VULNERABLE_NEAR, span, span.worst, trajectory)


def _gap(row: Tracked, place: Beside) -> float:
    """From the own front to a vehicle's rear, along the way (m)."""
    return place.ahead - row.length / 2 - limits.OUTLINE[0]


def _headway(places: Iterable[tuple[Tracked, Beside]], pose: Pose) -> tuple[float, int | None]:
    """Seconds to the vehicle ahead in the own lane, and which that is."""
    leaders = [
        (_gap(row, place), row.track)
        for row, place in places
        if abs(place.left) < limits.LANE / 2 and place.ahead > limits.OUTLINE[0]
    ]
    if not leaders or pose.speed <= limits.HEADWAY_SPEED:
        return _FAR, None
    gap, track = min(leaders)
    return max(gap, 0.0) / pose.speed, track


def _near(t: float, people: Iterable[Tracked], pose: Pose, watches: dict[int, Watch]) -> Iterator[Span]:
    """Spans that end now in which somebody was near; `watches` by track."""
    front, rear, half = limits.OUTLINE
    for row in people:
        along = max(row.ahead - row.length / 2 - front, rear - row.ahead - row.length / 2, 0.0)
        across = max(abs(row.left) - row.width / 2 - half, 0.0)
        distance = math.hypot(along, across) if pose.speed > limits.NEAR_SPEED else _FAR
        watch = watches.setdefault(row.track, Watch(limits.NEAR, _NEAR_LEFT, _NEAR_SECONDS))
        if span := watch.feed(t, distance, row.track):
            yield span
    for track in [track for track, watch in watches.items() if t - watch.last > 1.0]:
        if span := watches.pop(track).end():
            yield span


class _CutIns:
    """Vehicles that come over into the own lane. For each, where it was of late: (t, left, way)."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._past: dict[int, deque[tuple[float, float, float]]] = {}
        self._entered: dict[int, tuple[float, float]] = {}

    def feed(self, t: float, places: Iterable[tuple[Tracked, Beside]], pose: Pose) -> Iterator[Span]:
        """Those that are in the lane's middle now: from when they came over, with the time gap as they
        entered."""
        for row, place in places:
            past = self._past.setdefault(row.track, deque())
            past.append((t, abs(place.left), place.way))
            while t - past[0][0] > _HISTORY:
                past.popleft()
            aside = abs(place.left)
            if aside > limits.LANE / 2 + _BEFORE:
                self._entered.pop(row.track, None)
            elif aside < limits.LANE / 2 and row.track not in self._entered:
                self._entered[row.track] = (t, self._time_gap(row, place, pose))
            if aside < limits.LANE / 4 and (span := self._cut_in(t, row.track, past)):
                yield span
        for track in [track for track, past in self._past.items() if t - past[-1][0] > _HISTORY]:
            del self._past[track]
            self._entered.pop(track, None)

    @staticmethod
    def _time_gap(row: Tracked, place: Beside, pose: Pose) -> float:
        """Seconds of headway as it enters; _FAR if it does not go our way ahead of us."""
        gap = _gap(row, place)
        if gap < 0.0 or place.pace < _OUR_WAY or pose.speed < _OUR_WAY:
            return _FAR
        return gap / pose.speed

    def _cut_in(self, t: float, track: int, past: deque[tuple[float, float, float]]) -> Span | None:
        """If it came from beside of late, and not because we changed lanes."""
        entered, gap = self._entered.get(track, (t, _FAR))
        self._entered[track] = (entered, _FAR)
        before = [each for each in past if each[0] < entered]
        if gap >= limits.CUT_IN_SECONDS or not before:
            return None
        furthest = max(aside for _, aside, _ in before)
        if furthest < limits.LANE / 2 + _BEFORE:
            return None
        begin, _, way = next(each for each in reversed(before) if each[1] > furthest - _BEGINS)
        if abs(self._way.shift(way - _AROUND, past[-1][2] + _AROUND)) > limits.LANE / 2:
            return None
        return Span(begin, t, gap, entered, track)
