"""Messages of a header and numbers, unpacked in one go, are what the general decoder makes of them."""

import struct
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("mcap_ros2")

from mcap.records import Schema
from mcap_ros2.decoder import DecoderFactory

from baygrid.workloads.driving.recording.flat import flat
from baygrid.workloads.driving.synthetic.definitions import DEFINITIONS

MIXED = """# every width, in an order that leaves gaps
std_msgs/Header header
uint8 KIND_OTHER=3   # a constant
bool on
float64 wide 1.5
int8 small  # told
int16[3] three
Inner inner
uint32 count
uint8 last
""" + "\n".join([
    "=" * 80, "MSG: std_msgs/Header", "builtin_interfaces/Time stamp", "string frame_id",
    "=" * 80, "MSG: my_msgs/Inner", "int8 a", "float32 b", "uint64 c",
])  # fmt: skip
FLAT = {
    **{f"{t}": DEFINITIONS[t] for t in (
        "sensor_msgs/msg/Imu", "sensor_msgs/msg/NavSatFix", "geometry_msgs/msg/TwistStamped"
    )},
    "my_msgs/msg/Mixed": MIXED,
}  # fmt: skip


def general(type_: str) -> Any:
    return DecoderFactory().decoder_for("cdr", Schema(1, FLAT[type_].encode(), "ros2msg", type_))


def plain(value: Any) -> Any:
    if hasattr(value, "__slots__"):
        return {name: plain(getattr(value, name)) for name in value.__slots__}
    if isinstance(value, SimpleNamespace):
        return {name: plain(each) for name, each in vars(value).items()}
    return list(value) if isinstance(value, tuple | list | bytes) else value


@pytest.mark.parametrize("type_", FLAT)
@given(frame=st.text("abcü", max_size=9), seed=st.binary(min_size=400, max_size=400))
def test_it_is_what_the_general_decoder_makes(type_: str, frame: str, seed: bytes) -> None:
    name = frame.encode() + b"\0"
    data = b"\0\1\0\0" + struct.pack("<III", 7, 8, len(name)) + name + bytes(b % 64 for b in seed)
    quick = flat(type_, FLAT[type_])
    assert quick is not None
    assert plain(quick(data)) == plain(general(type_)(data))
    with pytest.raises(struct.error):
        quick(data[: 16 + len(name) + 8])


@pytest.mark.parametrize(
    ("type_", "definition"),
    [
        ("std_msgs/msg/Bool", DEFINITIONS["std_msgs/msg/Bool"]),
        ("sensor_msgs/msg/PointCloud2", DEFINITIONS["sensor_msgs/msg/PointCloud2"]),
        ("my_msgs/msg/Mixed", MIXED.replace("int8 small", "string small")),
        ("my_msgs/msg/Mixed", MIXED.replace("int8 small", "int8[] small")),
        ("my_msgs/msg/Mixed", MIXED.replace("Inner inner", "Inner[2] inner")),
        ("my_msgs/msg/Mixed", MIXED.replace("Inner inner", "Mixed inner")),
        ("my_msgs/msg/Mixed", MIXED.replace("Inner inner", "Unknown inner")),
        ("my_msgs/msg/Mixed", MIXED.replace("string frame_id", "string frame\nint8 more")),
        ("my_msgs/msg/Mixed", MIXED.replace("int8 small", "this is no field")),
        ("my_msgs/msg/Mixed", ""),
    ],
)
def test_anything_else_is_left_to_it(type_: str, definition: str) -> None:
    assert flat(type_, definition) is None
