"""Drives in the numpy layout of comma2k19 (H. Schafer et al., "A commute in data: the comma2k19 dataset",
arXiv 1812.05752): a folder for each minute, an array in each file, `.npy` without the ending.

The inertial unit's axes are forward, right, down; ours are forward, left, up. A satellite fix comes some tens
of milliseconds late, now more, now less; the receiver tells its own time with it, so that all are moved to
the time of the least late one. How late that is cannot be known from the recording, and is not corrected."""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import prod
from typing import Final

import numpy as np

from baygrid.workloads.application import Failed
from baygrid.workloads.driving.recording.window import Window
from baygrid.workloads.driving.values import Fix, Floats, Imu, Place, Wheel
from baygrid.workloads.stages import Stages
from baygrid.workloads.storage.names import clean, words
from baygrid.workloads.storage.readable import NotThere
from baygrid.workloads.storage.reading import opened

LAYOUT: Final = "comma2k19"
LOG: Final = "processed_log"
LIKELY: Final = 60.0
"""Seconds of a folder."""
MOST: Final = 64 << 20
"""Bytes of an array; a minute has some hundred thousand."""

RECEIVERS: Final = ("GNSS/live_gnss_ublox", "GNSS/live_gnss_qcom")
"""The first that there is counts: it is the better one."""
_LATE: Final = 0.5
_NOTHING: Final = np.empty((0, 8))

Reading = Fix | Imu | Wheel | Place


def windows(folder: str, drive: str) -> list[Window]:
    """A minute is one window."""
    return [Window(LAYOUT, drive, folder, 0, LIKELY)]


class Reader:
    """Reads a folder. Afterwards `failed` says what could not be read."""

    def __init__(self, window: Window, stages: Stages) -> None:
        self._folder = window.path
        self._drive = window.drive
        self._stages = stages
        self.failed: list[Failed] = []

    def __iter__(self) -> Iterator[Reading]:
        with self._stages("read"):
            rates, forces = self._log("IMU/gyro", 3), self._log("IMU/accelerometer", 3)
            wheels = self._log("CAN/wheel_speed", 4)
            fixes = next((rows for name in RECEIVERS if len(rows := self._log(name, 6))), _NOTHING)
            places = self._poses()
        firsts = [rows[0, 0] for rows in (rates, forces, wheels, fixes, places) if len(rows)]
        start = min(firsts, default=0.0)
        with self._stages("decode"):
            yield from _imu(rates, forces, start)
            yield from (Wheel(t - start, v) for t, v in zip(wheels[:, 0], _mean(wheels), strict=True))
            times = _receiver_times(fixes)
            for t, row in zip(times, fixes, strict=True):
                yield Fix(float(t - start), True, float(row[1]), float(row[2]), float(row[5]), 0.0)
            for t, x, y, z in places[:, :4]:
                yield Place(float(t - start), float(x), float(y), float(z))

    def _log(self, name: str, columns: int) -> Floats:
        """Time and values (n, 1 + columns) in order of time; none, and why, where the arrays are not
        whole."""
        return self._rows(f"{LOG}/{name}", "t", "value", columns)

    def _poses(self) -> Floats:
        return self._rows("global_pose", "frame_times", "frame_positions", 3, needed=False)

    def _rows(self, name: str, times: str, values: str, columns: int, needed: bool = True) -> Floats:
        try:
            t, value = (_array(f"{self._folder}/{name}/{part}") for part in (times, values))
            if t.ndim != 1 or value.shape != (len(t), columns):
                raise ValueError(f"{len(t)} times for values of shape {value.shape}")
        except NotThere as error:
            if needed:
                self._fail(name, str(error))
            return _NOTHING
        except (ValueError, EOFError) as error:
            self._fail(name, str(error))
            return _NOTHING
        rows = np.column_stack([t, value]).astype(np.float64)
        whole = np.isfinite(rows[:, 0])
        back = np.concatenate([[False], np.diff(rows[:, 0]) < -1.0])
        if back.any():
            # What comes after a jump is in another time, of which nothing is known here.
            whole[int(back.argmax()) :] = False
            self._fail(
                name, f"the clock jumps back: {int((~whole).sum()):,} of {len(rows):,} readings left out"
            )
        rows = rows[whole]
        return rows[np.argsort(rows[:, 0], kind="stable")]

    def _fail(self, name: str, reason: str) -> None:
        self.failed.append(Failed(f"{self._drive} {name}", clean(reason)))


def _array(at: str) -> Floats:
    """An array as it lies in a file. Nothing is made before it is known that the file holds it."""
    name = at.rpartition("/")[2]
    file = opened(at)
    try:
        data = file.read(0, min(file.size, MOST))
    finally:
        file.close()
    if not data:
        raise ValueError(f"{name} is empty (0 bytes)")
    stream = io.BytesIO(data)
    if data[:6] != b"\x93NUMPY" or np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{name} is not a numpy array")
    try:
        shape, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # numpy reads it as a piece of Python, which fails in many ways
        raise ValueError(f"{name} has a damaged header: {words(error)}") from error
    held = len(data) - stream.tell()
    if kind.kind not in "fiu" or prod(shape) * kind.itemsize != held:
        raise ValueError(f"{name} says that it holds {shape} of {kind}, and has {held:,} bytes")
    values = np.frombuffer(data, kind, prod(shape), stream.tell())
    return values.reshape(shape, order="F" if fortran else "C").astype(np.float64)


def _imu(rates: Floats, forces: Floats, start: float) -> Iterator[Imu]:
    """The gyroscope's readings, each with the force at that time."""
    if not len(rates) or not len(forces):
        return
    force = np.column_stack([np.interp(rates[:, 0], forces[:, 0], forces[:, i]) for i in (1, 2, 3)])
    for (t, rx, ry, rz), (fx, fy, fz) in zip(rates[:, :4].tolist(), force.tolist(), strict=True):
        yield Imu(t - start, (rx, -ry, -rz), (fx, -fy, -fz))


def _mean(wheels: Floats) -> Floats:
    """The mean speed of the wheels that tell one."""
    told = np.isfinite(wheels[:, 1:])
    sums = np.where(told, wheels[:, 1:], 0.0).sum(axis=1)
    mean: Floats = np.divide(sums, told.sum(axis=1), out=np.full(len(wheels), np.nan), where=told.any(axis=1))
    return mean


def _receiver_times(fixes: Floats) -> Floats:
    """The times of the fixes by the receiver's clock (value 3: milliseconds), laid on the recorder's."""
    if not len(fixes):
        return fixes[:, 0]
    own = fixes[:, 4] / 1000
    late = fixes[:, 0] - own
    late = late - late.min() if np.isfinite(late).all() else np.full(len(fixes), np.inf)
    return np.where(late < _LATE, fixes[:, 0] - late, fixes[:, 0])
