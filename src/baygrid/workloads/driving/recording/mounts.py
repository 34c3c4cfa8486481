"""Where the sensors sit on the vehicle: from the static transforms of a recording and its cameras'
parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from baygrid.workloads.driving.values import Camera, Floats

ROOTS: Final = ("base_footprint", "base_link", "vehicle", "ego_vehicle")
"""Names of the vehicle's own frame; the first that there is counts. Its height zero is taken as the road."""
DEEP: Final = 32
"""Links from a sensor to the vehicle; a longer chain is a circle."""

Matrix = tuple[float, ...]
"""4 x 4, row by row: from a sensor's frame to the vehicle's."""


class Mounts:
    """The tree of static transforms, as far as it has been read."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, Floats]] = {}

    def add(self, parent: str, child: str, move: tuple[float, ...], turn: tuple[float, ...]) -> None:
        """`move` x, y, z; `turn` a quaternion x, y, z, w: where the child's frame is in its parent's."""
        matrix = np.eye(4)
        matrix[:3, :3] = _rotation(turn)
        matrix[:3, 3] = move
        if np.isfinite(matrix).all():
            self._parents[child.strip("/")] = (parent.strip("/"), matrix)

    def of(self, frame: str) -> Matrix | None:
        """None where no chain of transforms leads from this frame to the vehicle."""
        known = {parent for parent, _ in self._parents.values()} | self._parents.keys()
        root = next((name for name in ROOTS if name in known), None)
        matrix, at = np.eye(4), frame.strip("/")
        for _ in range(DEEP):
            if root is not None and at == root:
                return tuple(float(value) for value in matrix.ravel())
            if at not in self._parents:
                return None
            at, step = self._parents[at]
            matrix = step @ matrix
        return None


def standing(height: float) -> Matrix:
    """Of a lidar that looks straight ahead, so high above the road, where nothing tells its mount."""
    return (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, height, 0, 0, 0, 1)


def cameras(pictures: Iterable[str], camera_infos: Mapping[str, Any], mounts: Mounts) -> list[Camera]:
    """The cameras whose parameters are known. A topic of pictures belongs to the CameraInfo beside or above
    it: /front/image/compressed to /front/camera_info."""
    found = []
    for topic in pictures:
        info = next((each for name, each in camera_infos.items() if topic.startswith(_folder(name))), None)
        mount = mounts.of(str(info.header.frame_id)) if info is not None else None
        if info is None or mount is None:
            continue
        k = [float(value) for value in info.k]
        if (
            np.isfinite(k).all()
            and k[0] > 0
            and k[4] > 0
            and 0 < info.width < 1 << 16
            and 0 < info.height < 1 << 16
        ):
            found.append(Camera(topic, int(info.width), int(info.height), k[0], k[4], k[2], k[5], mount))
    return found


def _folder(topic: str) -> str:
    return topic.rsplit("/", 1)[0] + "/"


def _rotation(turn: tuple[float, ...]) -> Floats:
    """The matrix of a quaternion x, y, z, w, which need not be of length one."""
    x, y, z, w = np.array(turn, np.float64) / max(float(np.linalg.norm(turn)), 1e-12)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
