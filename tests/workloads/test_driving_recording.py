"""Reading drives: every message once, and whatever is wrong with a file isolated, named, in bounded
memory."""

import http.server
import io
import shutil
import struct
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mcap_ros2")

import zstandard
from mcap.reader import make_reader
from mcap.records import Chunk
from mcap.writer import CompressionType
from mcap_ros2.writer import Writer

from baygrid.workloads.application import ApplicationError, Failed
from baygrid.workloads.driving.recording import comma, drives
from baygrid.workloads.driving.recording.window import Window
from baygrid.workloads.driving.synthetic.definitions import DEFINITIONS
from baygrid.workloads.driving.synthetic.drive import LIDAR_TOPIC, drive
from baygrid.workloads.driving.synthetic.truth import truth
from baygrid.workloads.driving.synthetic.writing import START, cloud, write
from baygrid.workloads.driving.values import Imu, Picture, Sweep, Wheel
from baygrid.workloads.stages import Stages
from tests.workloads.web import Handler

SECONDS = 13.0


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drive") / "street.mcap"
    write(drive(1, SECONDS), path)
    return path


def windows(place: Path) -> list[Window]:
    """All of a place, as they come to a worker."""
    return [Window.from_json(w.to_json()) for of_drive in drives.windows(str(place), 1.7) for w in of_drive]


def read(found: list[Window]) -> tuple[list[Any], list[Failed]]:
    """What is in them, and what could not be read; that a sensor is lacking is left out, see below."""
    values, failed = [], []
    for window in found:
        reader = drives.reader(window, Stages())
        values += list(reader)
        failed += [*(Failed(*note) for note in window.notes if "no topic of" not in note[1]), *reader.failed]
    return values, failed


def counts(values: list[Any]) -> Counter[str]:
    return Counter(type(value).__name__ for value in values)


def test_every_message_is_in_one_window(recorded: Path) -> None:
    found = windows(recorded)
    assert len(found) == 2
    values, failed = read(found)
    assert failed == []
    frames = int(SECONDS * 10)
    assert counts(values) == {
        "Sweep": frames,
        "Picture": frames,
        "Imu": 1300,
        "Wheel": 650,
        "Fix": 65,
        "Driver": 26,
    }
    for kind in (Sweep, Picture, Imu):
        times = [value.t for value in values if isinstance(value, kind)]
        assert times == sorted(set(times))


def test_a_sweep_comes_back_in_the_frame_of_the_vehicle(recorded: Path) -> None:
    values, _ = read(windows(recorded)[:1])
    sweep = next(value for value in values if isinstance(value, Sweep))
    true, boxes = next(drive(1, SECONDS).sweeps())
    assert sweep.topic == LIDAR_TOPIC
    assert np.abs(sweep.points - true.points).max() < 1e-4
    known = truth(recorded)
    assert known is not None
    assert [box for box in known.boxes if box.t == 0.0] == list(boxes)


def test_the_camera_s_place_is_that_of_the_transforms(recorded: Path) -> None:
    (camera,) = windows(recorded)[0].cameras
    ahead = np.array(camera["mount"]).reshape(4, 4) @ [0, 0, 10, 1]
    assert ahead[:3] == pytest.approx([11.6, 0, 1.5])


@pytest.mark.parametrize("share", [0.999, 0.6, 0.1])
def test_a_file_that_was_cut_gives_what_is_whole(recorded: Path, tmp_path: Path, share: float) -> None:
    cut = tmp_path / "cut.mcap"
    data = recorded.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    values, failed = read(windows(cut))
    assert (0.98 * share - 0.05) * 130 < counts(values)["Sweep"] <= 130
    assert [failure.input for failure in failed] == ["cut.mcap"]
    assert "cut off at" in failed[0].reason
    assert "after its begin" in failed[0].reason


def test_a_damaged_chunk_costs_its_own_messages_only(recorded: Path, tmp_path: Path) -> None:
    damaged = bytearray(recorded.read_bytes())
    piece = windows(recorded)[0].pieces[3]
    damaged[piece[0] + 2000 : piece[0] + 2100] = bytes(100)
    path = tmp_path / "damaged.mcap"
    path.write_bytes(damaged)
    values, failed = read(windows(path))
    assert 115 < counts(values)["Sweep"] < 130
    assert len(failed) == 1
    assert "damaged chunk" in failed[0].reason
    assert failed[0].input.startswith("damaged.mcap at ")


@pytest.mark.parametrize("length", [0, 1, 8])
def test_a_summary_that_tells_of_a_chunk_without_a_record(tmp_path: Path, length: int) -> None:
    path = written(tmp_path / "lies.mcap", speeds(*np.arange(0, 3, 0.05)), chunk_size=600)
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    second = summary.chunk_indexes[1]
    told = struct.pack("<QQ", second.chunk_start_offset, second.chunk_length)
    data = path.read_bytes()
    assert data.count(told) == 1
    path.write_bytes(data.replace(told, struct.pack("<QQ", second.chunk_start_offset, length)))
    found, failed = read(windows(path))
    assert 40 < len(found) < 60
    assert [f"a piece of {length} bytes" in failure.reason for failure in failed] == [True]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty (0 bytes)"),
        (b"\xff\xd8\xff\xe0 a picture", "not an MCAP file"),
        (b"\x89MCAP0\r\n", "no messages in it"),
        (b"\x89MCAP0\r\n" + bytes(4096), "no messages in it"),
        (b"\x89MCAP0\r\n\x06" + b"\xff" * 8, "no messages in it"),
    ],
)
def test_files_that_are_no_drives_are_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "odd.mcap").write_bytes(content)
    values, failed = read(windows(tmp_path))
    assert values == []
    assert failed[-1].input == "odd.mcap"
    assert reason in failed[-1].reason


def written(path: Path, rows: list[tuple[float, str, str, Any]], **how: Any) -> Path:
    with path.open("wb") as file:
        writer = Writer(file, **how)
        schemas = {name: writer.register_msgdef(name, text) for name, text in DEFINITIONS.items()}
        for t, topic, kind, message in rows:
            writer.write_message(topic, schemas[kind], message, START + round(t * 1e9))
        writer.finish()
    return path


def speeds(*times: float) -> list[tuple[float, str, str, Any]]:
    nought = {"x": 0.0, "y": 0.0, "z": 0.0}
    return [
        (t, "/speed", "geometry_msgs/msg/TwistStamped",
         {"header": {"stamp": {"sec": 0, "nanosec": 0}, "frame_id": ""},
          "twist": {"linear": {**nought, "x": 5.0}, "angular": nought}})
        for t in times
    ]  # fmt: skip


def test_a_topic_that_is_missing_is_named(recorded: Path, tmp_path: Path) -> None:
    assert windows(recorded)[0].notes == ()
    (window,) = windows(written(tmp_path / "speed.mcap", speeds(1.0, 2.0)))
    assert [name for name, reason in window.notes if "lidar" in reason] == ["speed.mcap"]
    header = {"stamp": {"sec": 0, "nanosec": 0}, "frame_id": ""}
    points = cloud(header, np.ones((5, 4), np.float32))
    (window,) = windows(
        written(tmp_path / "p.mcap", [(0.0, "/points", "sensor_msgs/msg/PointCloud2", points)])
    )
    assert ["satellite fixes or wheel speeds" in reason for _, reason in window.notes] == [True]


def test_what_follows_a_jump_of_the_clock_is_a_drive_of_its_own(tmp_path: Path) -> None:
    times = [*np.arange(100, 130, 0.02), *np.arange(90, 110, 0.02)]
    path = written(tmp_path / "jump.mcap", speeds(*times), chunk_size=4096)
    found = windows(path)
    values, failed = read(found)
    assert len({window.drive for window in found}) in (2, 3)  # 3: the chunk in which it jumped is one too
    assert len(values) > 2480
    assert any("the clock jumps back by" in failure.reason for failure in failed)
    for window in found:
        own, _ = read([window])
        assert [value.t for value in own] == sorted(value.t for value in own)


def test_a_pause_parts_a_drive(tmp_path: Path) -> None:
    path = written(tmp_path / "pause.mcap", speeds(*range(5), *range(1000, 1005)), chunk_size=100)
    found = windows(path)
    assert {window.drive for window in found} == {"pause.mcap", "pause.mcap (2)"}
    assert read(found)[1] == []


@pytest.mark.parametrize("compression", list(CompressionType))
def test_every_compression_is_read(tmp_path: Path, compression: CompressionType) -> None:
    path = written(
        tmp_path / "any.mcap", speeds(*np.arange(0, 20, 0.1)), compression=compression, chunk_size=2000
    )
    values, failed = read(windows(path))
    assert (len(values), failed) == (200, [])


def test_messages_outside_of_chunks_are_read(tmp_path: Path) -> None:
    from mcap.writer import Writer as Plain

    path = written(tmp_path / "chunks.mcap", speeds(*np.arange(0, 20, 0.1)))
    plain = tmp_path / "plain.mcap"
    with path.open("rb") as source, plain.open("wb") as file:
        writer = Plain(file, use_chunking=False)
        writer.start("ros2")
        kind = "geometry_msgs/msg/TwistStamped"
        schema = writer.register_schema(kind, "ros2msg", DEFINITIONS[kind].encode())
        channel = writer.register_channel("/speed", "cdr", schema)
        for _, _, message in make_reader(source).iter_messages():
            writer.add_message(channel, message.log_time, message.data, message.publish_time)
        writer.finish()
    values, failed = read(windows(plain))
    assert (len(values), failed) == (200, [])
    assert all(isinstance(value, Wheel) for value in values)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A chunk of some kilobytes that says a megabyte, and unpacks to two gigabytes; another that says so."""
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    packed = b"".join([*(packer.compress(bytes(1 << 24)) for _ in range(128)), packer.flush()])
    for says in (1 << 20, 1 << 31):
        path = tmp_path / f"bomb{says}.mcap"
        path.write_bytes(written(tmp_path / "good.mcap", speeds(1.0)).read_bytes())
        good = windows(tmp_path / "good.mcap")[0].pieces[0]
        whole = path.read_bytes()
        path.write_bytes(whole[: good[0]] + chunk(packed, says) + whole[good[0] : good[0] + good[1]])
        tracemalloc.start()
        values, failed = read(windows(path))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(values) == 1
        assert any("unpacks to" in failure.reason for failure in failed)
        assert peak < 40 << 20


def chunk(packed: bytes, says: int) -> bytes:
    from mcap.data_stream import RecordBuilder

    builder = RecordBuilder()
    Chunk("zstd", packed, START, START, 0, says).write(builder)
    return builder.end()


def test_points_that_are_no_numbers_are_left_out_and_clouds_that_lie_are_named(tmp_path: Path) -> None:
    points = np.ones((50, 4), np.float32)
    points[:10, 0], points[10:15, 2], points[15:18, :3], points[20, 3] = np.nan, np.inf, 0, np.nan
    header = {"stamp": {"sec": 0, "nanosec": 0}, "frame_id": ""}
    kind = "sensor_msgs/msg/PointCloud2"
    good = cloud(header, points)
    rows = [
        (0.0, "/points", kind, good),
        (0.1, "/points", kind, {**good, "width": 4_000_000_000}),
        (0.2, "/points", kind, {**good, "width": 60}),
        (0.3, "/points", kind, {**good, "point_step": 0}),
        (0.4, "/points", kind, {**good, "fields": good["fields"][:2]}),
        (0.5, "/points", kind, {**good, "fields": [{**f, "offset": 1 << 31} for f in good["fields"]]}),
        (0.6, "/points", kind, good),
    ]
    values, failed = read(windows(written(tmp_path / "points.mcap", rows)))
    assert [value.t for value in values] == [0.0, 0.6]
    assert values[0].points.shape == (32, 4)
    assert np.isfinite(values[0].points).all()
    assert values[0].points[0, 2] == pytest.approx(2.7)  # so high is a lidar of which nothing is known
    assert len(failed) == 5


def test_a_recording_in_several_files_is_one_drive(recorded: Path, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    bag.mkdir()
    for number in (0, 2, 10):
        written(bag / f"bag_{number}.mcap", speeds(*np.arange(number, number + 2, 0.5)))
    (bag / "metadata.yaml").write_text("rosbag2_bagfile_information:\n")
    shutil.copy(recorded, tmp_path / "Alone.MCAP")
    found = windows(tmp_path)
    assert [window.drive for window in found] == ["Alone.MCAP", "Alone.MCAP", "bag", "bag", "bag"]
    values, _ = read(found[2:])
    assert [value.t for value in values] == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 10, 10.5, 11, 11.5]


def test_all_files_of_a_drive_are_read_by_the_same_lidar(tmp_path: Path) -> None:
    """The one with more messages in all, though in one file it has fewer."""
    header = {"stamp": {"sec": 0, "nanosec": 0}, "frame_id": ""}
    points = cloud(header, np.ones((5, 4), np.float32))

    def sweeps(topic: str, *times: float) -> list[tuple[float, str, str, Any]]:
        return [(t, topic, "sensor_msgs/msg/PointCloud2", points) for t in times]

    written(tmp_path / "bag_0.mcap", [*sweeps("/front", 0.0), *sweeps("/roof", 0.1, 0.2, 0.3, 0.4)])
    written(tmp_path / "bag_1.mcap", [*sweeps("/front", 1.0, 1.1), *sweeps("/roof", 1.2)])
    written(tmp_path / "bag_2.mcap", [*sweeps("/front", 2.0), *speeds(2.1)])
    (tmp_path / "metadata.yaml").write_text("")
    values, _ = read(found := windows(tmp_path))
    assert [(v.topic, v.t) for v in values if isinstance(v, Sweep)] == [
        ("/roof", t) for t in (0.1, 0.2, 0.3, 0.4, 1.2)
    ]
    assert ["no topic of a lidar" in str(window.notes) for window in found] == [False, False, True]


def test_files_of_a_minute_each_are_one_drive_until_it_pauses(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    bag.mkdir()
    begins = (0, 70, 140, 300, 370)
    for number, begin in enumerate(begins):
        written(bag / f"bag_{number}.mcap", speeds(*np.arange(begin, begin + 70, 5)))
    (bag / "metadata.yaml").write_text("rosbag2_bagfile_information:\n")
    found = windows(tmp_path)
    starts = {window.drive: window.start for window in found}
    assert list(starts) == ["bag", "bag (2)"]
    assert starts["bag (2)"] - starts["bag"] == 300 * 10**9
    values, _ = read([window for window in found if window.drive == "bag"])
    assert [value.t for value in values] == list(range(0, 210, 5))
    values, _ = read([window for window in found if window.drive == "bag (2)"])
    assert [value.t for value in values] == list(range(0, 140, 5))


def test_where_there_is_no_drive_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ApplicationError, match="no drive in"):
        windows(tmp_path)
    with pytest.raises(ApplicationError, match="is not there"):
        windows(tmp_path / "nowhere")


def numpy_drive(folder: Path, count: int = 200) -> Path:
    for name, columns in (("IMU/gyro", 3), ("IMU/accelerometer", 3), ("CAN/wheel_speed", 4)):
        place = folder / "processed_log" / name
        place.mkdir(parents=True)
        for part, values in (("t", np.arange(count) * 0.01 + 50), ("value", np.ones((count, columns)))):
            with (place / part).open("wb") as file:
                np.save(file, values)
    return folder


def test_the_numpy_layout_and_what_is_wrong_in_it(tmp_path: Path) -> None:
    folder = numpy_drive(tmp_path / "minute")
    (window,) = windows(tmp_path)
    assert window.layout == comma.LAYOUT
    values, failed = read([window])
    assert counts(values) == {"Imu": 200, "Wheel": 200}
    assert values[0].rate == (1, -1, -1)
    assert [failure.input for failure in failed] == [
        f"minute processed_log/{name}" for name in comma.RECEIVERS
    ]

    (folder / "processed_log/CAN/wheel_speed/t").write_bytes(b"")
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)})
    (folder / "processed_log/IMU/gyro/t").write_bytes(huge.getvalue() + struct.pack("<d", 1.0))
    (folder / "processed_log/IMU/accelerometer/t").write_bytes(b"\x93NUMPY\x01\x00")
    values, failed = read([window])
    assert values == []
    assert len(failed) == 5


@pytest.mark.parametrize("header", [b"{'descr': (", b"(" * 9000, b"\xff\xfe", b"{'descr': '<f8', 1L}"])
def test_a_damaged_header_of_an_array_costs_that_array(tmp_path: Path, header: bytes) -> None:
    folder = numpy_drive(tmp_path / "minute")
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(80)
    (folder / "processed_log/IMU/gyro/t").write_bytes(data)
    values, failed = read(windows(tmp_path))
    assert counts(values) == {"Wheel": 200}
    assert failed[0].input == "minute processed_log/IMU/gyro"
    assert "t has a damaged header" in failed[0].reason


def test_a_clock_that_jumps_back_in_the_numpy_layout(tmp_path: Path) -> None:
    folder = numpy_drive(tmp_path / "minute")
    times = np.arange(200) * 0.01 + 50
    times[150:] -= 10
    with (folder / "processed_log/CAN/wheel_speed/t").open("wb") as file:
        np.save(file, times)
    values, failed = read(windows(tmp_path))
    assert counts(values)["Wheel"] == 150
    assert any("the clock jumps back: 50 of 200" in failure.reason for failure in failed)


def test_whatever_is_wrong_with_the_bytes_no_exception_leaves(recorded: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    whole = written(tmp_path / "good.mcap", speeds(*np.arange(0, 3, 0.05)), chunk_size=600, enable_crcs=False)
    for data in (whole.read_bytes(), recorded.read_bytes()[: 3 << 20]):
        for number in range(40):
            wrong = bytearray(data)
            for at in rng.integers(0, len(wrong), 1 << (number % 8)):
                wrong[at : at + 8] = rng.bytes(8) if number % 2 else bytes([255] * 8)
            path = tmp_path / "wrong.mcap"
            path.write_bytes(wrong[: rng.integers(1, len(wrong))])
            read(windows(path))


@pytest.fixture
def served(recorded: Path) -> Iterator[str]:
    """The folder of the recorded drive, as a web server has it."""
    asked: list[str] = []
    handler = partial(type("Asked", (Handler,), {"asked": asked}), directory=str(recorded.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_drives_behind_a_web_server_are_read_in_pieces(recorded: Path, served: str) -> None:
    (found,) = drives.windows(f"{served}/street.mcap", 1.7)
    assert [window.drive for window in found] == ["street.mcap"] * 2
    values, failed = read(found[1:])
    assert failed == []
    here, _ = read(windows(recorded)[1:])
    assert counts(values) == counts(here)
    with pytest.raises(ApplicationError):
        list(drives.windows(f"{served}/nowhere.mcap", 1.7))


def test_a_broken_file_of_several_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("")
    written(tmp_path / "bag_0.mcap", speeds(0.0, 1.0))
    (tmp_path / "bag_1.mcap").write_bytes(b"")
    written(tmp_path / "bag_2.mcap", speeds(2.0, 3.0))
    values, failed = read(windows(tmp_path))
    assert [value.t for value in values] == [0, 1, 2, 3]
    assert [failure.input for failure in failed] == [f"{tmp_path.name}/bag_1.mcap"]
