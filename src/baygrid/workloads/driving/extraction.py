"""Readings out of the rows of workers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from baygrid.workloads.driving.ego.readings import Gathering
from baygrid.workloads.driving.rows import FIX, IMU, WHEEL


def values_of(table: pa.Table, what: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Time and values (n, 1 + k) of the rows of that sort, which all have the same number of values; (0, 1)
    where there are none."""
    chosen = table.filter(pc.equal(table["what"], what))
    t = chosen["t"].to_numpy()
    flat = chosen["values"].combine_chunks().flatten().to_numpy()
    return np.column_stack([t, flat.reshape(len(t), -1)]) if len(t) else np.empty((0, 1))


def gather(gathering: Gathering, table: pa.Table) -> None:
    """The readings among the rows."""
    imu, wheel, fix = (values_of(table, what) for what in (IMU, WHEEL, FIX))
    if len(imu):
        gathering.imu(imu[:, 0], imu[:, 3], imu[:, 4])
    if len(wheel):
        gathering.wheel(wheel[:, 0], wheel[:, 1])
    for geodetic in (True, False):
        if len(fix) and (mine := fix[:, 1] == float(geodetic)).any():
            gathering.fixes(geodetic, fix[mine][:, [0, 2, 3, 4, 5]])
