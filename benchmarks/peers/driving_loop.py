"""A loop over a drive in one process, as one writes it first: MCAP by mcap-ros2, ground by the lowest point
of a cell, connected components, boxes by principal axes, tracks by the Hungarian method, a Kalman filter for
the own way, NanoDet for the pictures.

FILE OUTPUT DETECTOR (an ONNX file; - for none)"""

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from numba import njit
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from baygrid.workloads.detection.detector import Detector

CELL, REACH, LEAST = 0.35, 60.0, 8
GROUND, ABOVE = 1.0, 0.3


@njit(cache=True)
def standing(points: Any) -> Any:
    """Which points are above the lowest one of the cells around."""
    side = int(2 * REACH / GROUND)
    lowest = np.full((side, side), 1e9, np.float32)
    kept = np.zeros(len(points), np.bool_)
    for point in points:
        a, b = int((point[0] + REACH) / GROUND), int((point[1] + REACH) / GROUND)
        if 0 <= a < side and 0 <= b < side and point[2] < lowest[a, b]:
            lowest[a, b] = point[2]
    for i, point in enumerate(points):
        a, b = int((point[0] + REACH) / GROUND), int((point[1] + REACH) / GROUND)
        if 0 <= a < side and 0 <= b < side:
            low = lowest[max(0, a - 1) : a + 2, max(0, b - 1) : b + 2].min()
            kept[i] = (
                point[2] - low > ABOVE and point[2] < 3.0 and max(abs(point[0]), abs(point[1])) < REACH - 1
            )
    return kept


def boxes(points: Any) -> list[tuple[float, ...]]:
    """Middle, length, width, heading, height of each object."""
    above = points[standing(points)]
    side = int(2 * REACH / CELL)
    at = ((above[:, :2] + REACH) / CELL).astype(np.int32)
    grid = np.zeros((side, side), np.uint8)
    grid[at[:, 0], at[:, 1]] = 1
    number, _ = ndimage.label(grid, structure=np.ones((3, 3)))
    of = number[at[:, 0], at[:, 1]]
    order = np.argsort(of, kind="stable")
    found = []
    for some in np.split(above[order], np.flatnonzero(np.diff(of[order])) + 1):
        if len(some) < LEAST:
            continue
        middle = some[:, :2].mean(0)
        _, axes = np.linalg.eigh((some[:, :2] - middle).T @ (some[:, :2] - middle))
        along = (some[:, :2] - middle) @ axes
        low, high = along.min(0), along.max(0)
        x, y = middle + axes @ ((low + high) / 2)
        width, length = high - low
        if length < 7:
            height = float(np.ptp(some[:, 2]))
            found.append((x, y, length, width, float(np.arctan2(axes[1, 1], axes[0, 1])), height))
    return found


class Way:
    """A Kalman filter of place, heading and speed: wheels and yaw rate forward, fixes correct it."""

    def __init__(self) -> None:
        self.state, self.spread = np.zeros(4), np.diag([1.0, 1.0, 10.0, 25.0])
        self.last: float | None = None
        self.origin: tuple[float, float] | None = None
        self.passed: list[tuple[float, ...]] = []

    def turn(self, t: float, rate: float) -> None:
        if self.last is not None:
            dt = t - self.last
            x, y, heading, speed = self.state
            c, s = np.cos(heading), np.sin(heading)
            self.state = np.array([x + speed * c * dt, y + speed * s * dt, heading + rate * dt, speed])
            step = np.eye(4)
            step[0, 2:], step[1, 2:] = (-speed * s * dt, c * dt), (speed * c * dt, s * dt)
            self.spread = step @ self.spread @ step.T + np.diag([1e-4, 1e-4, 1e-6, (0.6 * dt) ** 2])
        self.last = t
        self.passed.append((t, *self.state))

    def correct(self, seen: Any, which: Any, sd: float) -> None:
        off = which @ self.spread @ which.T + np.eye(len(seen)) * sd * sd
        gain = self.spread @ which.T @ np.linalg.inv(off)
        self.state = self.state + gain @ (seen - which @ self.state)
        self.spread = (np.eye(4) - gain @ which) @ self.spread

    def fix(self, latitude: float, longitude: float) -> None:
        if self.origin is None:
            self.origin = latitude, longitude
        north = np.radians(latitude - self.origin[0]) * 6_371_000
        east = np.radians(longitude - self.origin[1]) * 6_371_000 * np.cos(np.radians(latitude))
        self.correct(np.array([east, north]), np.eye(4)[:2], 0.5)


class Tracks:
    def __init__(self) -> None:
        self.held: dict[int, tuple[float, Any, Any]] = {}
        self.labels: list[tuple[float, ...]] = []
        self.count = 0

    def follow(self, t: float, way: Any, found: list[tuple[float, ...]]) -> None:
        c, s = np.cos(way[2]), np.sin(way[2])
        places = np.array([(way[0] + c * x - s * y, way[1] + s * x + c * y) for x, y, *_ in found])
        ids, number = list(self.held), [-1] * len(found)
        if ids and found:
            ahead = np.array([p + v * (t - then) for then, p, v in self.held.values()])
            apart = np.linalg.norm(ahead[:, None] - places[None], axis=2)
            for i, j in zip(*linear_sum_assignment(np.minimum(apart, 5.0)), strict=True):
                if apart[i, j] < 2.0:
                    number[j] = ids[i]
        for j, box in enumerate(found):
            if number[j] < 0:
                number[j], self.count = self.count, self.count + 1
                speed = np.zeros(2)
            else:
                then, place, speed = self.held[number[j]]
                speed = 0.7 * speed + 0.3 * (places[j] - place) / max(t - then, 0.05)
            self.held[number[j]] = (t, places[j], speed)
            self.labels.append((t, number[j], *places[j], *box, *speed))
        self.held = {key: each for key, each in self.held.items() if t - each[0] < 1.0}


def main() -> None:
    recording, output, detector = sys.argv[1:]
    cv2.setNumThreads(1)
    network = None if detector == "-" else Detector(Path(detector))
    way, tracks, seen = Way(), Tracks(), []
    with Path(recording).open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        for _, channel, message, ros in reader.iter_decoded_messages():
            t = message.log_time * 1e-9
            match channel.topic:
                case "/imu/data":
                    way.turn(t, ros.angular_velocity.z)
                case "/vehicle/speed":
                    way.correct(np.array([ros.twist.linear.x]), np.eye(4)[3:], 0.1)
                case "/gnss/fix":
                    way.fix(ros.latitude, ros.longitude)
                case "/lidar_top/points":
                    points = np.frombuffer(ros.data, np.float32).reshape(-1, 4)
                    tracks.follow(t, way.state, boxes(points))
                case "/cam_front/image/compressed" if network is not None:
                    picture = cv2.imdecode(np.frombuffer(ros.data, np.uint8), cv2.IMREAD_COLOR)
                    found = network.detect(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
                    seen += [(t, each.label, each.score, *each.box) for each in found]
    Path(output).mkdir(parents=True)
    names = ("t", "track", "x", "y", "ahead", "left", "length", "width", "heading", "height", "vx", "vy")
    _keep(Path(output) / "labels.parquet", names, tracks.labels)
    _keep(Path(output) / "seen.parquet", ("t", "label", "score", "x0", "y0", "x1", "y1"), seen)
    _keep(Path(output) / "way.parquet", ("t", "x", "y", "heading", "speed"), way.passed)


def _keep(path: Path, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    pq.write_table(pa.table({name: [row[n] for row in rows] for n, name in enumerate(names)}), path)


if __name__ == "__main__":
    main()
