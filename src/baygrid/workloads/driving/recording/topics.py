"""Which topics of a recording mean what: by the type of their messages, and by name only where that must
be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from baygrid.workloads.driving.recording.pieces import Index

LIDAR, CAMERA, IMU, FIX, POINT, WHEEL, DRIVER, CAMERA_INFO, FRAMES = (
    "lidar", "camera", "imu", "fix", "point", "wheel", "driver", "camera_info", "frames",
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
    "sensor_msgs/msg/CameraInfo": CAMERA_INFO,
    "tf2_msgs/msg/TFMessage": FRAMES,
}
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "geometry_msgs/msg/PointStamped": ("gnss", "gps", "fix"),
    "std_msgs/msg/Bool": ("engage", "autonom"),
    "tf2_msgs/msg/TFMessage": ("tf_static",),
}
"""Types that mean something only under such names."""

MANY: Final = frozenset({CAMERA, CAMERA_INFO, FRAMES})
"""Of these all topics are read; of every other kind the one with most messages in the whole recording."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that is read: `schema` is the id of its definition in the file."""

    channel: int
    name: str
    role: str
    type: str
    schema: int


def topics(files: Sequence[Index]) -> list[list[Topic]]:
    """The topics that are read of each file of a recording, by name: in all files the same, for two lidars in
    turn would be one that jumps."""
    known = [list(_known(index)) for index in files]
    counts: Counter[tuple[str, str]] = Counter()
    for index, of_file in zip(files, known, strict=True):
        for topic in of_file:
            counts[topic.role, topic.name] += index.counts.get(topic.channel, 0)
    chosen: dict[str, str] = {}
    for role, name in sorted(counts, key=lambda each: (-counts[each], each[1])):
        chosen.setdefault(role, name)
    if FIX in chosen:
        chosen.pop(POINT, None)
    return [
        sorted(
            (topic for topic in of_file if topic.role in MANY or chosen.get(topic.role) == topic.name),
            key=lambda topic: topic.name,
        )
        for of_file in known
    ]


def _known(index: Index) -> Iterator[Topic]:
    """All that mean something."""
    for channel in index.channels.values():
        schema = index.schemas.get(channel.schema_id)
        if schema is None or channel.message_encoding != "cdr" or schema.encoding != "ros2msg":
            continue
        role, names = TYPES.get(schema.name), _NAMES.get(schema.name, ("",))
        if role is not None and any(name in channel.topic.lower() for name in names):
            yield Topic(channel.id, channel.topic, role, schema.name, schema.id)
