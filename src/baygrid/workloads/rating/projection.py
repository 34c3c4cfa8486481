"""What a rate comes to on more nodes or workers than it was measured on: only by a measured curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from baygrid.core.rating.scaling import NoCurve, fit
from baygrid.core.rating.value import Rating


def projected(ratings: Sequence[Rating], count: int) -> dict[str, Any]:
    """A rate at `count` nodes, or workers where all were measured on as many nodes. Raises NoCurve."""
    if len({(it.profile, it.accelerator, it.model) for it in ratings}) > 1:
        raise NoCurve("its rates are of several profiles or devices: keep a file for each")
    by_nodes = len({it.nodes for it in ratings}) > 1
    points = [(it.nodes if by_nodes else it.cpus, it.units_per_hour) for it in ratings]
    curve = fit(points)
    return {
        "count": count,
        "of": "nodes" if by_nodes else "workers",
        "units_per_hour": curve.project(count),
        "serial": curve.serial,
        "crosstalk": curve.crosstalk,
        "measured_at_counts": list(curve.counts),
        "error": curve.error,
    }
