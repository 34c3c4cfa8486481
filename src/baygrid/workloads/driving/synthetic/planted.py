"""The others of the planted scenarios, and when each scenario truly is one (scenarios/limits.py).

The truth is computed here from the exact ways of the own vehicle and of that one other thing, by code that
shares nothing with what finds scenarios in tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baygrid.workloads.driving import values
from baygrid.workloads.driving.scenarios import limits
from baygrid.workloads.driving.synthetic.route import CRUISE, Episode, Route
from baygrid.workloads.driving.synthetic.things import (
    BICYCLE,
    CAR,
    LEFT_LANE,
    PERSON,
    SEEN_FROM,
    SWEEP,
    Thing,
    moving,
)
from baygrid.workloads.driving.values import CYCLIST, PEDESTRIAN, VEHICLE, Event, Floats


def others(route: Route, seconds: float, count: int) -> list[tuple[Thing, Event]]:
    """The other of each scenario that has one, with its event; `track` is the thing's number, from `count`
    on."""
    found: list[tuple[Thing, Event]] = []
    for number, episode in enumerate(route.episodes):
        make = {
            values.CUT_IN: _cut_in,
            values.SHORT_HEADWAY: _short_headway,
            values.VULNERABLE_NEAR: _vulnerable,
        }.get(episode.kind)
        if make is not None:
            found.append(make(route, episode, seconds, count + len(found), number))
    return found


def own(route: Route) -> list[Event]:
    """Hard brakings, stops and turns."""
    found = []
    for begin, end in _spans(route.acceleration < -limits.BRAKE, route.t, limits.BRAKE_SECONDS):
        worst = begin + int(route.acceleration[begin:end].argmin())
        found.append(_event(values.HARD_BRAKE, route, begin, end, worst, -route.acceleration[worst]))
    for begin, end in _spans(route.speed < limits.STOP_SPEED, route.t, limits.STOP_SECONDS):
        found.append(_event(values.STOP, route, begin, end, begin, route.t[end - 1] - route.t[begin]))
    rate = route.speed * route.curve(route.way)
    for begin, end in _spans(np.abs(rate) > limits.TURN_RATE, route.t, 0.0):
        angle = float(np.trapezoid(rate[begin:end], route.t[begin:end]))
        if abs(angle) > limits.TURN_ANGLE:
            found.append(_event(values.TURN, route, begin, end, (begin + end) // 2, angle))
    return found


def _event(kind: str, route: Route, begin: int, end: int, worst: int, value: float) -> Event:
    x, y, _ = route.place(route.way[worst], 0.0)
    return Event(kind, float(route.t[begin]), float(route.t[end - 1]), None, float(value), float(x), float(y))


def _spans(mask: NDArray[np.bool_], t: Floats, least: float) -> list[tuple[int, int]]:
    """First and one past last index of each time that the mask holds for `least` seconds or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(b, e) for b, e in zip(edges[::2], edges[1::2], strict=True) if t[e - 1] - t[b] >= least]


def _around(episode: Episode, seconds: float) -> Floats:
    """The times of the sweeps at which its other may be there."""
    first, last = max(0.0, episode.begin - 8), min(seconds, episode.end + 12)
    return np.arange(round(first / SWEEP), round(last / SWEEP) + 1, dtype=np.float64) * SWEEP


def _eased(share: Floats) -> Floats:
    """From 0 to 1 without a jerk."""
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3 - 2 * share)


def _told(
    route: Route, kind: str, t: Floats, mask: NDArray[np.bool_], badness: Floats, thing: int, value: float
) -> Event:
    """The event of the longest span of the mask; it is where `badness` is least."""
    begin, end = max(_spans(mask, t, 0.0), key=lambda span: span[1] - span[0])
    worst = begin + int(badness[begin:end].argmin())
    x, y, _ = route.place(float(route.along(t[worst])), 0.0)
    return Event(kind, float(t[begin]), float(t[end - 1]), thing, value, float(x), float(y))


def _gap(route: Route, t: Floats, way: Floats) -> Floats:
    """Own front to the other's rear, along the road (m)."""
    return way - CAR[0] / 2 - route.along(t) - limits.OUTLINE[0]


def _cut_in(route: Route, episode: Episode, seconds: float, thing: int, _: int) -> tuple[Thing, Event]:
    """Overtakes in the left lane, comes over 16 m and more ahead, leaves to the left and goes."""
    t = _around(episode, seconds)
    since = t - episode.begin
    ahead = np.where(since < 0, 15.0 * since, (CRUISE + 1.25) * since) + 16.0
    ahead += 0.75 * np.maximum(since - 8.0, 0.0) ** 2
    way = float(route.along(episode.begin)) + ahead
    left = LEFT_LANE * (1 - _eased((since - 2.0) / 3.0) + _eased((since - 8.5) / 3.0))
    near = np.abs(way - route.along(t)) < SEEN_FROM
    t, way, left = t[near], way[near], left[near]
    coming = (left < LEFT_LANE - 0.02) & (left > limits.LANE / 4) & (t < episode.begin + 6)
    gap = _gap(route, t, way) / np.maximum(np.interp(t, route.t, route.speed), 0.1)
    entered = int((coming & (left < limits.LANE / 2)).argmax())
    event = _told(route, values.CUT_IN, t, coming, np.abs(t - t[entered]), thing, float(gap[entered]))
    return moving(route, VEHICLE, CAR, t, way, left), event


def _short_headway(route: Route, episode: Episode, seconds: float, thing: int, _: int) -> tuple[Thing, Event]:
    """Stands ahead, drives off when we come, keeps 6.5 m before us for seconds, then goes."""
    t = _around(episode, seconds)
    since = np.maximum(t - episode.begin, 0.0)
    speeding = np.minimum(since, CRUISE / 2.5)
    way = 2.5 * speeding**2 / 2 + CRUISE * (since - speeding) + 2.0 * np.maximum(since - 8.0, 0.0) ** 2 / 2
    met = CRUISE**2 / 2.5 / 2 + 6.5 + CAR[0] / 2 + limits.OUTLINE[0]
    way += float(route.along(episode.begin)) + met
    near = np.abs(way - route.along(t)) < SEEN_FROM
    t, way = t[near], way[near]
    speed = np.interp(t, route.t, route.speed)
    headway = _gap(route, t, way) / np.maximum(speed, 0.1)
    short = (headway < limits.HEADWAY) & (speed > limits.HEADWAY_SPEED)
    event = _told(route, values.SHORT_HEADWAY, t, short, headway, thing, float(headway[short].min()))
    return moving(route, VEHICLE, CAR, t, way, np.zeros(len(t))), event


def _vulnerable(
    route: Route, episode: Episode, seconds: float, thing: int, number: int
) -> tuple[Thing, Event]:
    """Somebody on foot steps from the pavement to the edge of our lane, or rides along there; we pass."""
    t = _around(episode, seconds)
    rides = number % 2 == 1
    pace = 2.5 if rides else 1.1
    way = float(route.along(episode.begin + 4)) + pace * (t - episode.begin - 4)
    left = -2.5 - (0.0 if rides else 3.6) * (1 - _eased((t - episode.begin) / 3.0))
    size = BICYCLE if rides else PERSON
    near = np.abs(way - route.along(t)) < SEEN_FROM
    t, way, left = t[near], way[near], left[near]
    front, rear, half = limits.OUTLINE
    along = way - route.along(t)
    off = np.maximum.reduce([along - size[0] / 2 - front, rear - along - size[0] / 2, np.zeros(len(t))])
    aside = np.maximum(np.abs(left) - size[1] / 2 - half, 0.0)
    distance = np.hypot(off, aside)
    close = (distance < limits.NEAR) & (np.interp(t, route.t, route.speed) > limits.NEAR_SPEED)
    event = _told(route, values.VULNERABLE_NEAR, t, close, distance, thing, float(distance[close].min()))
    return moving(route, CYCLIST if rides else PEDESTRIAN, size, t, way, left), event
