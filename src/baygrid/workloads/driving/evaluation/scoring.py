"""What was found of a synthetic drive against its truth.

Boxes: a track's row and a true thing of the same kind are one where their centres, seen from above, are no
more than CENTRE apart (as in H. Caesar et al., "nuScenes: A multimodal dataset for autonomous driving",
CVPR 2020), the closest pairs of all in each sweep; how well they lie on each other is told beside it.
Recall counts things within RANGE on which at least POINTS returns lie; a row on a thing with fewer, or of a
kind that the truth does not hold, is no error. Identity switches and interruptions as in K. Bernardin, R.
Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT metrics", EURASIP Journal on
Image and Video Processing 2008."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from baygrid.workloads.driving.geometry.overlap import overlaps
from baygrid.workloads.driving.values import (
    CYCLIST,
    PEDESTRIAN,
    VEHICLE,
    Event,
    Tracked,
    Trajectory,
    Truth,
    TruthBox,
)

CENTRE: Final = 2.0
"""Metres between centres."""
POINTS: Final = 10
"""Returns of the lidar on a thing."""
RANGE: Final = 40.0
"""Metres from the vehicle within which recall and precision are told in one figure."""
BANDS: Final = (20.0, 40.0, 60.0)
"""Ends (m) of the bands of distance for which recall is told apart."""
_SCORED: Final = (VEHICLE, PEDESTRIAN, CYCLIST)
_SLACK: Final = 1.0
"""Seconds by which an event may miss a planted one."""


@dataclass(slots=True)
class _Kind:
    true: int = 0
    found: int = 0
    rows: int = 0
    right: int = 0
    overlap: list[float] = field(default_factory=list)
    off: list[float] = field(default_factory=list)
    bands: dict[float, list[int]] = field(default_factory=lambda: {band: [0, 0] for band in BANDS})


def boxes(tracked: Iterable[Tracked], truth: Truth) -> dict[str, Any]:
    """Recall, precision and overlap by kind, and how well identities are kept."""
    rows, things = defaultdict(list), defaultdict(list)
    for row in tracked:
        rows[row.t].append(row)
    for thing in truth.boxes:
        things[thing.t].append(thing)
    kinds = {kind: _Kind() for kind in _SCORED}
    lives: dict[int, list[int | None]] = defaultdict(list)
    for t in sorted(set(things) | set(rows)):
        yaw = truth.trajectory.at(t).yaw
        for kind, tally in kinds.items():
            of_kind = [row for row in rows[t] if row.kind == kind]
            _sweep(of_kind, [thing for thing in things[t] if thing.kind == kind], yaw, tally, lives)
    figures = {kind: _figures(tally) for kind, tally in kinds.items() if tally.true or tally.rows}
    return figures | _identities(lives, kilometres(truth.trajectory))


def _sweep(
    rows: Sequence[Tracked],
    things: Sequence[TruthBox],
    yaw: float,
    tally: _Kind,
    lives: dict[int, list[int | None]],
) -> None:
    """One kind at one sweep, at which the vehicle's yaw in the world is `yaw`."""
    mine = np.array([(r.ahead, r.left) for r in rows]).reshape(-1, 2)
    true = np.array([(g.x, g.y) for g in things]).reshape(-1, 2)
    apart = np.hypot(*(true[:, None] - mine[None]).transpose(2, 0, 1))
    matched = {}
    for i, j in zip(*linear_sum_assignment(np.minimum(apart, 2 * CENTRE)), strict=True):
        if apart[i, j] <= CENTRE:
            matched[int(i)] = int(j)
    for i, thing in enumerate(things):
        away = math.hypot(thing.x, thing.y)
        if thing.points < POINTS or away >= BANDS[-1]:
            continue
        found = i in matched
        band = tally.bands[next(end for end in BANDS if away < end)]
        band[0] += 1
        band[1] += found
        if away >= RANGE:
            continue
        tally.true += 1
        tally.found += found
        lives[thing.thing].append(rows[matched[i]].track if found else None)
        if found:
            row = rows[matched[i]]
            tally.off.append(float(apart[i, matched[i]]))
            tally.overlap.append(_overlap(row, thing, yaw))
    for j, row in enumerate(rows):
        if math.hypot(row.ahead, row.left) < RANGE:
            tally.rows += 1
            tally.right += j in matched.values()


def _overlap(row: Tracked, thing: TruthBox, yaw: float) -> float:
    one = np.array([[row.ahead, row.left, row.yaw - yaw, row.length, row.width]])
    two = np.array([[thing.x, thing.y, thing.yaw, thing.length, thing.width]])
    return float(overlaps(one, two)[0, 0])


def _figures(tally: _Kind) -> dict[str, Any]:
    def share(part: float, whole: float) -> float | None:
        return round(part / whole, 4) if whole else None

    return {
        "true": tally.true,
        "found": tally.found,
        "rows": tally.rows,
        "right": tally.right,
        "recall": share(tally.found, tally.true),
        "precision": share(tally.right, tally.rows),
        "recall_by_range": {
            f"<{end:.0f} m": share(found, true) for end, (true, found) in tally.bands.items()
        },
        "recall_overlap_0.5": share(sum(each >= 0.5 for each in tally.overlap), tally.true),
        "mean_overlap": share(sum(tally.overlap), len(tally.overlap)),
        "rms_centre_m": share(math.sqrt(sum(x * x for x in tally.off) * len(tally.off)), len(tally.off)),
    }


def _identities(lives: dict[int, list[int | None]], km: float) -> dict[str, Any]:
    """Over all things that had a track: switches from one track to another, and gaps in being tracked."""
    switches = interruptions = tracks = things = 0
    for life in lives.values():
        found = [each for each in life if each is not None]
        if not found:
            continue
        things += 1
        tracks += len(set(found))
        switches += sum(one != two for one, two in pairwise(found))
        first = life.index(found[0])
        last = len(life) - 1 - life[::-1].index(found[-1])
        inside = life[first : last + 1]
        interruptions += sum(one is not None and two is None for one, two in pairwise(inside))
    return {
        "things": len(lives),
        "things_tracked": things,
        "tracks_per_thing": round(tracks / things, 3) if things else None,
        "switches_per_km": round(switches / km, 2) if km else None,
        "interruptions_per_km": round(interruptions / km, 2) if km else None,
    }


def events(found: Sequence[Event], truth: Truth) -> dict[str, Any]:
    """Scenarios by kind: planted ones found and missed, and found ones that nobody planted. One of the same
    kind at the same time, but for _SLACK, is found; each at most once."""
    out: dict[str, dict[str, int]] = {}
    for kind in sorted({event.kind for event in (*found, *truth.events)}):
        mine = [event for event in found if event.kind == kind]
        true = [event for event in truth.events if event.kind == kind]
        shared = np.array(
            [[min(a.end, b.end) - max(a.begin, b.begin) + _SLACK for b in mine] for a in true]
        ).reshape(len(true), len(mine))
        rows, columns = linear_sum_assignment(-np.maximum(shared, 0))
        hits = int((shared[rows, columns] > 0).sum())
        missed, false = len(true) - hits, len(mine) - hits
        out[kind] = {"planted": len(true), "found": hits, "missed": missed, "false": false}
    km = kilometres(truth.trajectory)
    false = sum(each["false"] for each in out.values())
    return {"by_kind": out, "false_per_km": round(false / km, 2) if km else None}


def kilometres(trajectory: Trajectory) -> float:
    """How long a way is."""
    return float(np.hypot(np.diff(trajectory.x), np.diff(trajectory.y)).sum()) / 1000
