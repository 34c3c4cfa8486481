"""The truth beside a synthetic drive `NAME.mcap`: `NAME.truth-boxes.parquet` (values.TruthBox), and
`NAME.truth.json` (the way with latitude and longitude, and the events).

Every drive is asked for it, so nothing is loaded here that only a synthetic one needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from baygrid.workloads.driving.values import Event, Floats, Trajectory, Truth, TruthBox

BOXES: Final = ".truth-boxes.parquet"
REST: Final = ".truth.json"


def truth(path: Path) -> Truth | None:
    """The truth beside an MCAP file; None where there is none. Its world is the plane at drive.PLACE."""
    boxes, told = path.with_suffix(BOXES), path.with_suffix(REST)
    if not boxes.exists() or not told.exists():
        return None
    known = json.loads(told.read_text(encoding="utf-8"))
    arrays: dict[str, Floats] = {name: np.array(values) for name, values in known["way"].items()}
    rows = pq.read_table(boxes).to_pylist()
    return Truth(
        Trajectory(**arrays), [TruthBox(**row) for row in rows], [Event(**event) for event in known["events"]]
    )
