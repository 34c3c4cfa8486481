"""What a run found of a synthetic drive, against the truth that was written beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from baygrid.workloads.driving.results.ego import Travelled, trajectory
from baygrid.workloads.driving.results.statistics import Tally
from baygrid.workloads.driving.synthetic.truth import truth
from baygrid.workloads.driving.values import Tracked, Truth


def score(
    tally: Tally, labels: pq.ParquetFile, groups: Iterable[int], ego: pq.ParquetFile
) -> dict[str, Any] | None:
    """Boxes, identities, scenarios and the own way; None where the drive has no truth beside it. The drive's
    rows of labels.parquet are in `groups`, row groups, and nothing else is."""
    known = truth(Path(tally.travelled.window.path))
    if known is None:
        return None
    from baygrid.workloads.driving.evaluation import scoring  # loads scipy, which no other drive needs

    return {
        "boxes": scoring.boxes(_tracked(labels, groups), known),
        "scenarios": scoring.events([e for e in tally.events if e.kind != "intervention"], known),
        "ego": _way(tally.travelled, ego, known),
    }


def _tracked(labels: pq.ParquetFile, groups: Iterable[int]) -> Iterator[Tracked]:
    for group in groups:
        for row in labels.read_row_group(group, columns=list(Tracked.__dataclass_fields__)).to_pylist():
            yield Tracked(**row)


def _way(travelled: Travelled, ego: pq.ParquetFile, known: Truth) -> dict[str, Any] | None:
    """Positions are compared as they are: a constant error of the fixes is in them."""
    if travelled.group is None or travelled.plane is None:
        return None
    from baygrid.workloads.driving.synthetic.drive import PLACE

    way, true = trajectory(ego, travelled.group), known.trajectory
    latitude, longitude = PLACE.to_geodetic(true.x, true.y, true.z)
    there = travelled.plane.of_geodetic(latitude, longitude, np.full(len(true), PLACE.height))
    at = np.column_stack([np.interp(true.t, way.t, v) for v in (way.x, way.y)])
    off = np.hypot(*(at - there[:, :2]).T)
    length = float(np.trapezoid(true.speed, true.t))
    return {
        "position_rms_m": round(float(np.sqrt(np.mean(off**2))), 3),
        "position_max_m": round(float(off.max()), 3),
        "distance_error": round(abs(travelled.km * 1000 / length - 1), 6),
    }
