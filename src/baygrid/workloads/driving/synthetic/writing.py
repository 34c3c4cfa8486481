"""A synthetic drive as a recorder would have written it: MCAP of ROS 2, and beside it the truth.

The truth is two files beside `NAME.mcap`: see `truth`, which reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from mcap_ros2.writer import Writer

from baygrid.workloads.driving import values
from baygrid.workloads.driving.synthetic import pictures, readings
from baygrid.workloads.driving.synthetic.definitions import DEFINITIONS
from baygrid.workloads.driving.synthetic.drive import LIDAR, LIDAR_TOPIC, PLACE, Drive
from baygrid.workloads.driving.synthetic.things import SWEEP
from baygrid.workloads.driving.synthetic.truth import BOXES, REST
from baygrid.workloads.driving.values import Points, Trajectory, TruthBox
from baygrid.workloads.whole import whole

START: Final = 1_780_000_000_000_000_000
"""Nanoseconds of the clock at the first moment (May 2026)."""
CHUNK: Final = 2 << 20
TAKEN_OVER: Final = 3.0
"""Seconds for which a person drives around each hard braking."""
FIELDS: Final = ("x", "y", "z", "intensity")

Row = tuple[float, str, str, dict[str, Any]]
"""Time, topic, type, message."""


def write(drive: Drive, path: Path, camera: bool = True) -> None:
    """Writes the drive and its truth. `path` ends in .mcap; where it is there, it is whole, and its truth is
    beside it."""
    boxes: list[TruthBox] = []
    with whole(path) as part:
        with part.open("wb") as file:
            writer = Writer(file, chunk_size=CHUNK)
            schemas = {name: writer.register_msgdef(name, text) for name, text in DEFINITIONS.items()}
            for t, topic, kind, message in _in_order(_slow(drive), _frames(drive, boxes, camera)):
                writer.write_message(topic, schemas[kind], message, START + round(t * 1e9))
            writer.finish()  # type: ignore[no-untyped-call]
        _write_truth(drive, path, boxes)


def _in_order(slow: list[Row], fast: Iterator[Row]) -> Iterator[Row]:
    at = 0
    for row in fast:
        while at < len(slow) and slow[at][0] <= row[0]:
            yield slow[at]
            at += 1
        yield row
    yield from slow[at:]


def _header(t: float, frame: str) -> dict[str, Any]:
    time = START + round(t * 1e9)
    return {"stamp": {"sec": time // 10**9, "nanosec": time % 10**9}, "frame_id": frame}


def _frames(drive: Drive, boxes: list[TruthBox], camera: bool) -> Iterator[Row]:
    """Sweeps, with the truth of each to `boxes`, and pictures."""
    for number, (sweep, truth) in enumerate(drive.sweeps()):
        boxes += truth
        points = sweep.points.copy()
        points[:, :3] -= np.array(LIDAR, np.float32)
        yield (
            sweep.t,
            LIDAR_TOPIC,
            "sensor_msgs/msg/PointCloud2",
            cloud(_header(sweep.t, "lidar_top"), points),
        )
        if camera:
            data = pictures.jpeg(pictures.view(drive, number))
            message = {"header": _header(sweep.t, "cam_front"), "format": "jpeg", "data": data}
            yield sweep.t, pictures.TOPIC, "sensor_msgs/msg/CompressedImage", message


def cloud(header: dict[str, Any], points: Points) -> dict[str, Any]:
    """Points (N x 4) as a PointCloud2."""
    fields = [{"name": name, "offset": 4 * i, "datatype": 7, "count": 1} for i, name in enumerate(FIELDS)]
    return {
        "header": header, "height": 1, "width": len(points), "fields": fields, "is_bigendian": False,
        "point_step": 16, "row_step": 16 * len(points), "data": points.tobytes(), "is_dense": True,
    }  # fmt: skip


def _slow(drive: Drive) -> list[Row]:
    """All that is not a frame, in order of time."""
    rows = [*_still(), *_imu(drive), *_wheel(drive), *_fixes(drive), *_engaged(drive)]
    return sorted(rows, key=lambda row: row[0])


def _still() -> Iterator[Row]:
    """Where the sensors sit, and what the camera's lens does."""
    yield 0.0, "/tf_static", "tf2_msgs/msg/TFMessage", {"transforms": _transforms()}
    front = pictures.FRONT
    info: dict[str, Any] = {
        "header": _header(0.0, "cam_front"), "height": front.height, "width": front.width,
        "distortion_model": "plumb_bob", "d": [0.0] * 5, "r": list(np.eye(3).ravel()), "p": [0.0] * 12,
        "k": [front.fx, 0.0, front.cx, 0.0, front.fy, front.cy, 0.0, 0.0, 1.0],
        "binning_x": 0, "binning_y": 0,
        "roi": {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False},
    }  # fmt: skip
    yield 0.0, "/cam_front/camera_info", "sensor_msgs/msg/CameraInfo", info


def _imu(drive: Drive) -> Iterator[Row]:
    for t, rate, force in zip(*readings.imu(drive), strict=True):
        message: dict[str, Any] = {
            "header": _header(t, "base_link"), "orientation": {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0},
            "orientation_covariance": [-1.0] + [0.0] * 8, "angular_velocity": _vector(rate),
            "angular_velocity_covariance": [0.0] * 9, "linear_acceleration": _vector(force),
            "linear_acceleration_covariance": [0.0] * 9,
        }  # fmt: skip
        yield float(t), "/imu/data", "sensor_msgs/msg/Imu", message


def _wheel(drive: Drive) -> Iterator[Row]:
    for t, speed in zip(*readings.wheel(drive), strict=True):
        twist = {"linear": _vector((speed, 0.0, 0.0)), "angular": _vector((0.0, 0.0, 0.0))}
        message = {"header": _header(t, "base_link"), "twist": twist}
        yield float(t), "/vehicle/speed", "geometry_msgs/msg/TwistStamped", message


def _fixes(drive: Drive) -> Iterator[Row]:
    variance = readings.FIX_SD**2
    for t, (latitude, longitude, height) in zip(*readings.fixes(drive), strict=True):
        message: dict[str, Any] = {
            "header": _header(t, "gnss"), "status": {"status": 0, "service": 1}, "latitude": float(latitude),
            "longitude": float(longitude), "altitude": float(height),
            "position_covariance": [variance, 0.0, 0.0, 0.0, variance, 0.0, 0.0, 0.0, 4 * variance],
            "position_covariance_type": 2,
        }  # fmt: skip
        yield float(t), "/gnss/fix", "sensor_msgs/msg/NavSatFix", message


def _engaged(drive: Drive) -> Iterator[Row]:
    """A person takes over around each hard braking."""
    braking = [event.begin for event in drive.events if event.kind == values.HARD_BRAKE]
    for t in np.arange(0.0, drive.seconds, 0.5):
        data = not any(abs(t - begin) < TAKEN_OVER / 2 for begin in braking)
        yield float(t), "/autonomy/engaged", "std_msgs/msg/Bool", {"data": data}


def _vector(values: Any) -> dict[str, float]:
    return {name: float(value) for name, value in zip("xyz", values, strict=True)}


def _transforms() -> list[dict[str, Any]]:
    camera = {"x": -0.5, "y": 0.5, "z": -0.5, "w": 0.5}
    straight = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}
    links = (("lidar_top", LIDAR, straight), ("cam_front", pictures.PLACE, camera))
    return [
        {
            "header": _header(0.0, "base_link"),
            "child_frame_id": child,
            "transform": {"translation": _vector(place), "rotation": turn},
        }
        for child, place, turn in links
    ]


def _write_truth(drive: Drive, path: Path, boxes: list[TruthBox]) -> None:
    names = list(TruthBox.__dataclass_fields__)
    pq.write_table(pa.table(values.columns(boxes, names)), path.with_suffix(BOXES))
    way = drive.trajectory
    latitude, longitude = PLACE.to_geodetic(way.x, way.y, way.z)
    told = {
        "seed": drive.seed, "seconds": drive.seconds, "sweep_seconds": SWEEP,
        "plane": [PLACE.latitude, PLACE.longitude, PLACE.height],
        "way": {name: getattr(way, name).tolist() for name in Trajectory.__dataclass_fields__},
        "latitude": latitude.tolist(), "longitude": longitude.tolist(),
        "events": [asdict(event) for event in drive.events],
    }  # fmt: skip
    path.with_suffix(REST).write_text(json.dumps(told), encoding="utf-8")
