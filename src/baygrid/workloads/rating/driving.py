"""The profile of driving: own way, lidar boxes, tracks and scenarios of a drive of which all is known."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from baygrid.core.rating.value import Gate
from baygrid.workloads.application import Application, Outcome
from baygrid.workloads.driving.application import Driving
from baygrid.workloads.driving.synthetic.drive import drive
from baygrid.workloads.driving.synthetic.writing import write
from baygrid.workloads.driving.worker import Loading
from baygrid.workloads.models.onnx import CPU

SEED, SECONDS = 1, 65.0
"""Of the drive: long enough for each kind of scenario."""
KM: Final = 0.5
"""About as long as it is."""
LEAST_RECALL, LEAST_PRECISION = 0.95, 0.95
MOST_OFF_M, MOST_DISTANCE_ERROR = 1.5, 0.01
MOST_FALSE_PER_KM: Final = 2.0
DRIVE: Final = "drive.mcap"
BESIDE: Final = ("drive.truth-boxes.parquet", "drive.truth.json")


@dataclass(frozen=True, slots=True)
class DrivingProfile:
    name = "driving@1"
    unit = "km"
    input = f"a synthetic drive of {SECONDS:.0f} s in turn: lidar (32 beams, 10 Hz), satellites, IMU, wheels"
    precision = "fp64"
    first = KM

    def model(self) -> str:
        return f"geometry and filters, version {Loading(None, False).version}"

    def device(self) -> str:
        return CPU

    def flop_per_unit(self) -> None:
        """There is no network in it."""
        return

    def prepare(self, folder: Path) -> None:
        write(drive(SEED, SECONDS), folder / DRIVE, camera=False)

    def application(self, folder: Path, units: float) -> Application:
        """As many drives as are asked for, which are one file under many names."""
        count = max(1, round(units / KM))
        some = folder / f"{count}"
        if not some.exists():
            some.mkdir()
            for number in range(count):
                for name in (DRIVE, *BESIDE):
                    os.link(folder / name, some / name.replace("drive", f"drive-{number:06}", 1))
        return Driving(input=str(some), cameras=False)

    def gate(self, units: float, outcome: Outcome) -> Gate:
        truth = outcome.quality["truth"]
        return judged(truth if isinstance(truth, list) else [truth] if truth else [])


def judged(scores: Sequence[Mapping[str, Any]]) -> Gate:
    """`scores`: of each drive against its truth, as `evaluation.truth` makes them."""
    if not scores or any(score["ego"] is None for score in scores):
        return Gate(False, {}, "a drive has no way that could be compared with its truth")
    figures = _figures(scores)
    wrong = {
        f"{figures['recall']:.1%} of the things are found, less than {LEAST_RECALL:.0%}": (
            figures["recall"] < LEAST_RECALL
        ),
        f"{figures['precision']:.1%} of the boxes are things, less than {LEAST_PRECISION:.0%}": (
            figures["precision"] < LEAST_PRECISION
        ),
        f"the own way is off by {figures['position_rms_m']:.2f} m, more than {MOST_OFF_M} m": (
            figures["position_rms_m"] > MOST_OFF_M
        ),
        f"the distance is off by {figures['distance_error']:.2%}, more than {MOST_DISTANCE_ERROR:.0%}": (
            figures["distance_error"] > MOST_DISTANCE_ERROR
        ),
        f"{figures['scenarios_missed']:.0f} planted scenarios are missed": figures["scenarios_missed"] > 0,
        f"{figures['scenarios_false_per_km']:.1f} scenarios a km are none": (
            figures["scenarios_false_per_km"] > MOST_FALSE_PER_KM
        ),
    }
    why = next((said for said, is_so in wrong.items() if is_so), "")
    return Gate(not why, figures, why)


def _figures(scores: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The worst of all drives; recall and precision over all kinds of things."""
    kinds = [[it for it in score["boxes"].values() if isinstance(it, Mapping)] for score in scores]
    recalls = [_share(some, "found", "true") for some in kinds]
    precisions = [_share(some, "right", "rows") for some in kinds]
    missed = [sum(it["missed"] for it in score["scenarios"]["by_kind"].values()) for score in scores]
    return {
        "recall": min(recalls),
        "precision": min(precisions),
        "position_rms_m": max(score["ego"]["position_rms_m"] for score in scores),
        "distance_error": max(score["ego"]["distance_error"] for score in scores),
        "scenarios_missed": float(max(missed)),
        "scenarios_false_per_km": max(score["scenarios"]["false_per_km"] for score in scores),
        "drives": float(len(scores)),
    }


def _share(kinds: Sequence[Mapping[str, Any]], part: str, of: str) -> float:
    """Of all kinds together: boxes of a kind of which nothing is there count, too."""
    total = sum(it[of] for it in kinds)
    return float(sum(it[part] for it in kinds) / total) if total else 0.0
