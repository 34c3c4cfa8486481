"""The tables of the driving application. Times are seconds from the first message of the drive; frames of
coordinates and units are told in values.py."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

FRAMES: Final = pa.schema(
    [
        ("drive", pa.string()),
        ("t", pa.float64()),
        ("source", pa.string()),
        ("what", pa.string()),
        ("kind", pa.string()),
        ("score", pa.float32()),
        ("points", pa.int32()),
        ("values", pa.list_(pa.float64())),
    ]
)
"""What workers say of a drive, in order of time: one row for each sweep, picture and reading that was read,
and one for each thing found. `source` is the topic. By `what`, `values` are:

- sweep, picture: a frame that was looked at, whatever it shows; no values. `points` is a sweep's.
- box: x, y, z, length, width, height, yaw in the vehicle frame; `kind`, `score`, `points`.
- seen: left, top, right, bottom in pixels; `kind` is the detector's own label, `score`.
- fix: geodetic (1, 0), a, b, c, sd. imu: rates x, y, z and forces x, y, z. wheel: speed. See values.py.
- manual: 1 where a person drives, 0 where the system does (interventions are changes from 0 to 1).
- place: x, y, z of a reference in the recording itself (earth-centred, earth-fixed)."""

SWEEP, PICTURE, BOX, SEEN, FIX, IMU, WHEEL, MANUAL, PLACE = (
    "sweep", "picture", "box", "seen", "fix", "imu", "wheel", "manual", "place",
)  # fmt: skip
"""What rows of FRAMES are."""
BLIND: Final = "pictures_not_looked_at"
"""The fact that tells why nothing was seen in pictures."""

LABELS: Final = pa.schema(
    [
        ("drive", pa.string()),
        ("t", pa.float64()),
        ("track", pa.int32()),
        ("kind", pa.string()),
        *((name, pa.float64()) for name in ("x", "y", "z")),
        *((name, pa.float32()) for name in ("length", "width", "height", "yaw", "vx", "vy", "ahead", "left")),
        ("points", pa.int32()),
        ("seen", pa.int32()),
        ("score", pa.float32()),
    ]
)
"""labels.parquet: one row for each track at each sweep (values.Tracked)."""

EVENTS: Final = pa.schema(
    [
        ("drive", pa.string()),
        ("kind", pa.string()),
        ("begin", pa.float64()),
        ("end", pa.float64()),
        ("track", pa.int32()),
        ("value", pa.float64()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
    ]
)
"""events.parquet: one row for each scenario (values.Event); latitude and longitude are null without geodetic
fixes. A further kind beside values.EVENTS is `intervention`, where the drive logged who drives."""

EGO: Final = pa.schema(
    [
        ("drive", pa.string()),
        ("t", pa.float64()),
        *((name, pa.float64()) for name in ("x", "y", "z", "yaw")),
        *((name, pa.float32()) for name in ("speed", "yaw_rate", "acceleration", "sd")),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
    ]
)
"""ego.parquet: the own way at 20 Hz (values.Pose)."""
