"""ROS 2 messages as the values of the application. Every reader raises ValueError, in words, for what is no
such message; what is merely absurd in it (points that are not numbers) is left out."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from typing import Any, Final

import numpy as np
from mcap.records import Schema
from mcap_ros2.decoder import DecoderFactory

from baygrid.workloads.driving.recording import topics
from baygrid.workloads.driving.recording.cloud import filtered
from baygrid.workloads.driving.recording.flat import flat
from baygrid.workloads.driving.values import Driver, Fix, Floats, Imu, Picture, Place, Points, Sweep, Wheel

MOST_POINTS: Final = 1 << 21
FURTHEST: Final = 400.0
"""Points beyond so many metres are noise."""
LAG: Final = 1.0
"""A message's own time counts where it is within so many seconds of its recording; else the recording's."""
NO_FIX: Final = -1
"""NavSatStatus.status."""
AUTONOMOUS: Final = 1
"""ControlModeReport.mode."""

_NUMBERS: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
"""PointField.datatype."""
_BRIGHT: Final = ("intensity", "i", "reflectivity")

Reading = Sweep | Picture | Fix | Imu | Wheel | Driver | Place


def decoder(type_: str, definition: str) -> Callable[[bytes], Any]:
    """What makes messages of bytes. Raises ValueError where the definition is none."""
    try:
        with redirect_stderr(io.StringIO()):  # the parser prints what it does not like, as it is
            found = DecoderFactory().decoder_for("cdr", Schema(1, definition.encode(), "ros2msg", type_))
    except Exception as error:
        raise ValueError(f"the definition of {type_} cannot be read: {error}") from error
    if found is None:
        raise ValueError(f"the definition of {type_} cannot be read")
    general, quick = found, flat(type_, definition)
    if quick is None:
        return general
    return lambda data: quick(data) if data[1] & 1 else general(data)


def stamp(message: Any, recorded: int) -> int:
    """The message's time in nanoseconds: its own, where it can be."""
    header = getattr(message, "header", None)
    own = getattr(header, "stamp", None) or getattr(message, "stamp", None)
    if own is not None:
        time = int(own.sec) * 1_000_000_000 + int(own.nanosec)
        if abs(time - recorded) < LAG * 1e9:
            return time
    return recorded


def reading(role: str, type_: str, topic: str, t: float, message: Any, mount: Floats) -> Reading | None:
    """The message's value at the time `t`; None where it says that there is none (no fix). `mount` is 4 x
    4."""
    try:
        return _READERS[role](type_, topic, t, message, mount)
    except (AttributeError, TypeError, OverflowError) as error:
        raise ValueError(f"not a {type_}: {error}") from error


def _sweep(_: str, topic: str, t: float, message: Any, mount: Floats) -> Sweep:
    return Sweep(t, topic, points(message, mount))


def points(cloud: Any, mount: Floats) -> Points:
    """x, y, z, moved by `mount` (4 x 4), and intensity (N x 4) of a PointCloud2; 0 for an intensity that is
    not told. Points that are no numbers, nowhere or FURTHEST away are left out."""
    count, step = int(cloud.width) * int(cloud.height), int(cloud.point_step)
    if not 0 <= count <= MOST_POINTS:
        raise ValueError(f"{count:,} points; more than {MOST_POINTS:,} are not read")
    fields = {field.name: field for field in cloud.fields}
    if not {"x", "y", "z"} <= fields.keys():
        raise ValueError("a point cloud without x, y, z")
    if not 0 < step <= 1024 or len(cloud.data) < count * step:
        raise ValueError(f"{len(cloud.data):,} bytes for {count:,} points of {step} bytes")
    bright = next((name for name in _BRIGHT if name in fields), None)
    names = ["x", "y", "z", *([bright] if bright else [])]
    order = ">" if cloud.is_bigendian else "<"
    formats = [order + _NUMBERS.get(int(fields[name].datatype), "?") for name in names]
    offsets = [int(fields[name].offset) for name in names]
    kind = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": step})
    rows = np.frombuffer(cloud.data, kind, count)
    with np.errstate(over="ignore"):
        x, y, z = (rows[name].astype(np.float32, copy=False) for name in "xyz")
        told = np.float32(0) if bright is None else rows[bright].astype(np.float32, copy=False)
        intensity = np.broadcast_to(told, count)
    found: Points = filtered(x, y, z, intensity, mount.astype(np.float32), FURTHEST)
    return found


def _picture(_: str, topic: str, t: float, message: Any, __: Floats) -> Picture:
    return Picture(t, topic, bytes(message.data))


def _imu(_: str, __: str, t: float, message: Any, mount: Floats) -> Imu:
    rate, force = message.angular_velocity, message.linear_acceleration
    turned = mount[:3, :3] @ np.array([[rate.x, force.x], [rate.y, force.y], [rate.z, force.z]])
    (rx, fx), (ry, fy), (rz, fz) = turned.tolist()
    return Imu(t, (rx, ry, rz), (fx, fy, fz))


def _fix(_: str, __: str, t: float, message: Any, ___: Floats) -> Fix | None:
    at = (float(message.latitude), float(message.longitude), float(message.altitude))
    if message.status.status == NO_FIX or not (abs(at[0]) <= 90 and abs(at[1]) <= 180):
        return None
    sd = 0.0
    if message.position_covariance_type > 0:
        sd = float(np.sqrt(max((message.position_covariance[0] + message.position_covariance[4]) / 2, 0.0)))
    return Fix(t, True, at[0], at[1], at[2] if np.isfinite(at[2]) else 0.0, sd if np.isfinite(sd) else 0.0)


def _point(_: str, __: str, t: float, message: Any, ___: Floats) -> Fix:
    at = message.point
    return Fix(t, False, float(at.x), float(at.y), float(at.z), 0.0)


def _wheel(type_: str, _: str, t: float, message: Any, __: Floats) -> Wheel:
    if type_.endswith("VelocityReport"):
        return Wheel(t, float(message.longitudinal_velocity))
    twist = message.twist
    twist = getattr(twist, "twist", twist)
    return Wheel(t, float(twist.linear.x))


def _driver(type_: str, _: str, t: float, message: Any, __: Floats) -> Driver:
    if type_.endswith("ControlModeReport"):
        return Driver(t, int(message.mode) != AUTONOMOUS)
    return Driver(t, not message.data)


_READERS: Final[Mapping[str, Callable[[str, str, float, Any, Floats], Reading | None]]] = {
    topics.LIDAR: _sweep,
    topics.CAMERA: _picture,
    topics.IMU: _imu,
    topics.FIX: _fix,
    topics.POINT: _point,
    topics.WHEEL: _wheel,
    topics.DRIVER: _driver,
}
