"""Which topics of a recording mean what: by the type of their messages, and by name only where that must
be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.workloads.driving.recording.pieces import Index

LIDAR, CAMERA, IMU, FIX, POINT, WHEEL, DRIVER, LENS, FRAMES = (
    "lidar", "camera", "imu", "fix", "point", "wheel", "driver", "lens", "frames",
)  # fmt: skip

TYPES: Final[Mapping[str, str]] = {
    "sensor_msgs/msg/PointCloud2": LIDAR,
    "sensor_msgs/msg/CompressedImage": CAMERA,
    "sensor_msgs/msg/Imu": IMU,
    "sensor_msgs/msg/NavSatFix": FIX,
    "geometry_msgs/msg/PointStamped": POINT,
    "geometry_msgs/msg/TwistStamped": WHEEL,
    "geometry_msgs/msg/TwistWithCovarianceStamped": WHEEL,
    "nav_msgs/msg/Odometry": WHEEL,
    "autoware_vehicle_msgs/msg/VelocityReport": WHEEL,
    "autoware_auto_vehicle_msgs/msg/VelocityReport": WHEEL,
    "autoware_vehicle_msgs/msg/ControlModeReport": DRIVER,
    "autoware_auto_vehicle_msgs/msg/ControlModeReport": DRIVER,
    "std_msgs/msg/Bool": DRIVER,
    "sensor_msgs/msg/CameraInfo": LENS,
    "tf2_msgs/msg/TFMessage": FRAMES,
}
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "geometry_msgs/msg/PointStamped": ("gnss", "gps", "fix"),
    "std_msgs/msg/Bool": ("engage", "autonom"),
    "tf2_msgs/msg/TFMessage": ("tf_static",),
}
"""Types that mean something only under such names."""

MANY: Final = frozenset({CAMERA, LENS, FRAMES})
"""Of these all topics are read; of every other kind the one with most messages."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that is read: `schema` is the id of its definition in the file."""

    channel: int
    name: str
    role: str
    type: str
    schema: int


def topics(index: Index) -> list[Topic]:
    """The topics of a recording that are read, by name."""
    found: dict[str, list[Topic]] = {}
    for channel in index.channels.values():
        schema = index.schemas.get(channel.schema_id)
        if schema is None or channel.message_encoding != "cdr" or schema.encoding != "ros2msg":
            continue
        role, names = TYPES.get(schema.name), _NAMES.get(schema.name, ("",))
        if role is not None and any(name in channel.topic.lower() for name in names):
            topic = Topic(channel.id, channel.topic, role, schema.name, schema.id)
            found.setdefault(role, []).append(topic)
    if FIX in found:
        found.pop(POINT, None)
    chosen = []
    for role, of_role in found.items():
        of_role.sort(key=lambda topic: (-index.counts.get(topic.channel, 0), topic.name))
        chosen += of_role if role in MANY else of_role[:1]
    return sorted(chosen, key=lambda topic: topic.name)
