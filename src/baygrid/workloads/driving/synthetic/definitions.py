"""The definitions of the ROS 2 messages that a synthetic drive is written in (ROS 2 common_interfaces)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PARTS: Final = {
    "std_msgs/Header": "builtin_interfaces/Time stamp\nstring frame_id",
    "geometry_msgs/Vector3": "float64 x\nfloat64 y\nfloat64 z",
    "geometry_msgs/Quaternion": "float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1",
    "geometry_msgs/Twist": "geometry_msgs/Vector3 linear\ngeometry_msgs/Vector3 angular",
    "geometry_msgs/Transform": "geometry_msgs/Vector3 translation\ngeometry_msgs/Quaternion rotation",
    "geometry_msgs/TransformStamped": (
        "std_msgs/Header header\nstring child_frame_id\ngeometry_msgs/Transform transform"
    ),
    "sensor_msgs/PointField": "string name\nuint32 offset\nuint8 datatype\nuint32 count",
    "sensor_msgs/NavSatStatus": "int8 status\nuint16 service",
    "sensor_msgs/RegionOfInterest": (
        "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify"
    ),
}


def _whole(fields: str, *parts: str) -> str:
    """A definition with those of the types in it."""
    return ("\n" + "=" * 80 + "\n").join([fields, *(f"MSG: {part}\n{_PARTS[part]}" for part in parts)])


DEFINITIONS: Final[Mapping[str, str]] = {
    "sensor_msgs/msg/PointCloud2": _whole(
        "std_msgs/Header header\nuint32 height\nuint32 width\nsensor_msgs/PointField[] fields\n"
        "bool is_bigendian\nuint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense",
        "std_msgs/Header", "sensor_msgs/PointField",
    ),
    "sensor_msgs/msg/CompressedImage": _whole(
        "std_msgs/Header header\nstring format\nuint8[] data", "std_msgs/Header"
    ),
    "sensor_msgs/msg/Imu": _whole(
        "std_msgs/Header header\ngeometry_msgs/Quaternion orientation\nfloat64[9] orientation_covariance\n"
        "geometry_msgs/Vector3 angular_velocity\nfloat64[9] angular_velocity_covariance\n"
        "geometry_msgs/Vector3 linear_acceleration\nfloat64[9] linear_acceleration_covariance",
        "std_msgs/Header", "geometry_msgs/Quaternion", "geometry_msgs/Vector3",
    ),
    "sensor_msgs/msg/NavSatFix": _whole(
        "std_msgs/Header header\nsensor_msgs/NavSatStatus status\nfloat64 latitude\nfloat64 longitude\n"
        "float64 altitude\nfloat64[9] position_covariance\nuint8 position_covariance_type",
        "std_msgs/Header", "sensor_msgs/NavSatStatus",
    ),
    "geometry_msgs/msg/TwistStamped": _whole(
        "std_msgs/Header header\ngeometry_msgs/Twist twist",
        "std_msgs/Header", "geometry_msgs/Twist", "geometry_msgs/Vector3",
    ),
    "std_msgs/msg/Bool": "bool data",
    "tf2_msgs/msg/TFMessage": _whole(
        "geometry_msgs/TransformStamped[] transforms",
        "geometry_msgs/TransformStamped", "std_msgs/Header", "geometry_msgs/Transform",
        "geometry_msgs/Vector3", "geometry_msgs/Quaternion",
    ),
    "sensor_msgs/msg/CameraInfo": _whole(
        "std_msgs/Header header\nuint32 height\nuint32 width\nstring distortion_model\nfloat64[] d\n"
        "float64[9] k\nfloat64[9] r\nfloat64[12] p\n"
        "uint32 binning_x\nuint32 binning_y\nsensor_msgs/RegionOfInterest roi",
        "std_msgs/Header", "sensor_msgs/RegionOfInterest",
    ),
}  # fmt: skip
