"""Drives in MCAP files of ROS 2: how they are cut into windows, and what is in one.

A window is a row of whole pieces of one file, so that no message is in two of them and none in none. Where
the recorder's clock jumps back, or pauses for a minute, what follows is a drive of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, BinaryIO, Final

import numpy as np

from baygrid.workloads.application import Failed
from baygrid.workloads.driving.recording import mounts, ros
from baygrid.workloads.driving.recording.chunks import Message, messages
from baygrid.workloads.driving.recording.complaints import Complaints
from baygrid.workloads.driving.recording.pieces import Index, Piece, index
from baygrid.workloads.driving.recording.records import Damaged
from baygrid.workloads.driving.recording.ros import Reading
from baygrid.workloads.driving.recording.topics import (
    CAMERA,
    CAMERA_INFO,
    FIX,
    FRAMES,
    LIDAR,
    POINT,
    WHEEL,
    Topic,
    topics,
)
from baygrid.workloads.driving.recording.window import Source, Window
from baygrid.workloads.driving.values import Camera
from baygrid.workloads.stages import Stages
from baygrid.workloads.storage import reading
from baygrid.workloads.storage.listing import Entry

LAYOUT: Final = "mcap"
WINDOW: Final = 10.0
"""Seconds of a window, about."""
HEAVY: Final = 512 << 20
"""Bytes after which a window ends before that."""
JUMP: Final = 1.0
"""Seconds by which a message may be earlier than one before it: threads of a recorder. More is a clock that
jumped."""
PAUSE: Final = 60.0

_SECOND: Final = 1_000_000_000


def windows(files: Sequence[Entry], drive: str, lidar_height: float) -> list[Window]:
    """The windows of a drive that lies in these files, in order. A file that is none is a window of its own
    that holds nothing but the note which says so."""
    indexes: dict[str, Index] = {}
    wrong: dict[str, str] = {}
    for entry in files:
        try:
            with reading.file(entry.at) as file:
                indexes[entry.at] = index(file)
        except (Damaged, OSError) as error:
            wrong[entry.at] = str(error)
    chosen = dict(zip(indexes, topics(list(indexes.values())), strict=True))
    found: list[Window] = []
    course = _Course()
    known = _Known(mounts.Mounts(), {})
    for entry in files:
        at, name = entry.at, drive if len(files) == 1 else f"{drive}/{entry.name.rpartition('/')[2]}"
        if at not in wrong:
            try:
                with reading.file(at) as file:
                    head = _Head(file, indexes[at], chosen[at], known)
            except OSError as error:
                wrong[at] = str(error)
            else:
                found += _of_file(head, indexes[at], at, name, drive, lidar_height, course)
                continue
        found.append(nothing(at, course.named(drive), wrong[at], name))
    return found


def nothing(path: str, drive: str, why: str, name: str | None = None) -> Window:
    """A window that holds nothing but why."""
    return Window(LAYOUT, drive, path, 0, 0.0, notes=((name or drive, why),))


def _of_file(
    head: _Head, of: Index, path: str, name: str, drive: str, lidar_height: float, course: _Course
) -> list[Window]:
    chosen = head.chosen
    notes = [] if of.cut is None else [(name, f"{of.cut}{_after(of)}; what is whole before that is used")]
    notes += [(name, lacking) for lacking in _lacking({topic.role for topic in chosen})]
    if not of.pieces or not chosen:
        why = "no topic of ROS 2 that is known (see the documentation)" if of.pieces else "no messages in it"
        return [replace(nothing(path, course.named(drive), why), notes=(*notes, (name, why)))]
    sources = tuple(
        Source(topic.channel, topic.name, topic.role, topic.type, head.mount(topic, lidar_height))
        for topic in chosen
        if topic.role not in (CAMERA_INFO, FRAMES)
    )
    used = {source.type for source in sources}
    texts = {topic.type: of.schemas[topic.schema].data.decode(errors="replace") for topic in chosen}
    whole = Window(
        LAYOUT, drive, path, 0, 0.0,
        sources=sources,
        definitions={type_: text for type_, text in texts.items() if type_ in used},
        cameras=tuple(asdict(camera) for camera in head.cameras()),
        notes=tuple(notes),
    )  # fmt: skip
    return list(_cut(whole, of.pieces, name, course))


def _lacking(roles: set[str]) -> Iterator[str]:
    """Without these a drive gives less, and whoever reads of it should know why."""
    if roles and LIDAR not in roles:
        yield "no topic of a lidar (sensor_msgs/msg/PointCloud2): scenarios of the own motion alone"
    if roles and not roles & {FIX, POINT, WHEEL}:
        yield "no topic of satellite fixes or wheel speeds: no own way, no tracks, no scenarios"


def _after(of: Index) -> str:
    if not of.pieces:
        return ""
    return f", {(max(p.end for p in of.pieces) - of.pieces[0].begin) / _SECOND:,.1f} s after its begin"


@dataclass
class _Course:
    """How far a drive has come over its files: in which part of it, where that began, and its latest message
    (nanoseconds). Part 0: nothing was read yet."""

    part: int = 0
    start: int = 0
    latest: int = 0

    def named(self, drive: str) -> str:
        return drive if self.part < 2 else f"{drive} ({self.part})"


def _cut(whole: Window, pieces: Sequence[Piece], name: str, course: _Course) -> Iterator[Window]:
    """`whole`, which has no pieces yet, in windows that go on in `course`; its notes go with the first."""
    if course.part == 0:
        course.part, course.start, course.latest = 1, pieces[0].begin, pieces[0].begin
    now = replace(whole, drive=course.named(whole.drive), start=course.start)
    held: list[Piece] = []
    for piece in pieces:
        off = (piece.begin - course.latest) / _SECOND
        parted = off < -JUMP or off > PAUSE
        full = held and (piece.end - held[0].begin > WINDOW * _SECOND or sum(p.length for p in held) > HEAVY)
        if held and (parted or full):
            yield _window(now, held)
            held, now = [], replace(now, notes=())
        if parted:
            notes = now.notes
            if off < 0:
                at = (course.latest - now.start) / _SECOND
                reason = f"the clock jumps back by {-off:,.1f} s; what follows is taken as a drive of its own"
                notes = (*notes, (f"{name} at {at:,.1f} s", reason))
            course.part, course.start, course.latest = course.part + 1, piece.begin, piece.end
            now = replace(now, drive=course.named(whole.drive), start=piece.begin, notes=notes)
        held.append(piece)
        course.latest = max(course.latest, piece.end)
    if held:
        yield _window(now, held)


def _window(of: Window, held: Sequence[Piece]) -> Window:
    seconds = max(0.0, (max(p.end for p in held) - min(p.begin for p in held)) / _SECOND)
    return replace(of, pieces=tuple((p.offset, p.length) for p in held), seconds=seconds)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the files of a drive told so far: recorders write it into the first one alone."""

    mounts: mounts.Mounts
    camera_infos: dict[str, Any]


class _Head:
    """Where the sensors sit, and what the cameras see: the first messages of the topics that tell it."""

    def __init__(self, file: BinaryIO, of: Index, chosen: Iterable[Topic], known: _Known) -> None:
        self._mounts = known.mounts
        self._camera_infos = known.camera_infos
        self.chosen = tuple(chosen)
        self._frames: dict[str, str] = {}
        for topic in self.chosen:
            message = _first(file, of, topic)
            if message is None:
                continue
            if topic.role == CAMERA_INFO:
                self._camera_infos[topic.name] = message
            elif topic.role == FRAMES:
                self._add(message)
            else:
                self._frames[topic.name] = str(getattr(getattr(message, "header", None), "frame_id", ""))

    def _add(self, message: Any) -> None:
        for link in message.transforms:
            move, turn = link.transform.translation, link.transform.rotation
            of = (move.x, move.y, move.z), (turn.x, turn.y, turn.z, turn.w)
            self._mounts.add(str(link.header.frame_id), str(link.child_frame_id), *of)

    def mount(self, topic: Topic, lidar_height: float) -> mounts.Matrix:
        known = self._mounts.of(self._frames.get(topic.name, ""))
        return known or mounts.standing(lidar_height if topic.role == LIDAR else 0.0)

    def cameras(self) -> list[Camera]:
        return mounts.cameras(
            (t.name for t in self.chosen if t.role == CAMERA), self._camera_infos, self._mounts
        )


def _first(file: BinaryIO, of: Index, topic: Topic) -> Any | None:
    """The first message of a topic, decoded; None where it cannot be."""
    for piece in of.pieces:
        if topic.channel in piece.channels:
            try:
                decode = ros.decoder(topic.type, of.schemas[topic.schema].data.decode())
                data = next(messages(file, piece.offset, piece.length, frozenset({topic.channel})))[2]
                return decode(data)
            except Exception:  # noqa: BLE001 - whoever reads the piece will say what is wrong with it
                return None
    return None


class Reader:
    """Reads a window. Afterwards `failed` says what could not be read."""

    def __init__(self, window: Window, stages: Stages) -> None:
        self._window = window
        self._stages = stages
        self._complaints = Complaints(window.drive)
        self._decoders: dict[str, Callable[[bytes], Any] | ValueError] = {}
        self._sources = {source.channel: source for source in window.sources}
        self._mounts = {s.channel: np.array(s.mount, np.float64).reshape(4, 4) for s in window.sources}

    def __iter__(self) -> Iterator[Reading]:
        """In the order of the file."""
        if not self._window.pieces:
            return
        latest: int | None = None
        with reading.file(self._window.path) as file:
            for offset, length in self._window.pieces:
                for channel, recorded, data in self._messages(file, offset, length, latest):
                    if latest is not None and recorded < latest - JUMP * _SECOND:
                        self._fail("", recorded, "recorded after the clock jumped back within a chunk")
                        continue
                    latest = recorded if latest is None else max(latest, recorded)
                    if (read := self._decoded(channel, recorded, data)) is not None:
                        yield read

    @property
    def failed(self) -> list[Failed]:
        """What could not be read so far."""
        return self._complaints.failed

    def _messages(self, file: BinaryIO, offset: int, length: int, latest: int | None) -> list[Message]:
        """Those of a piece; fewer where it is damaged."""
        found: list[Message] = []
        with self._stages("read"):
            try:
                found.extend(messages(file, offset, length, frozenset(self._sources)))
            except (Damaged, OSError) as error:
                begin = found[-1][1] if found else self._window.start if latest is None else latest
                self._fail("", begin, f"{error} (bytes {offset:,} to {offset + length:,})")
        return found

    def _decoded(self, channel: int, recorded: int, data: bytes) -> Reading | None:
        source = self._sources[channel]
        with self._stages("decode"):
            try:
                message = self._decoder(source.type)(data)
                t = (ros.stamp(message, recorded) - self._window.start) / _SECOND
                return ros.reading(source.role, source.type, source.name, t, message, self._mounts[channel])
            except Exception as error:  # noqa: BLE001 - hostile bytes fail in every way there is; only they are lost
                self._fail(source.name, recorded, f"{error}" or type(error).__name__)
                return None

    def _decoder(self, type_: str) -> Callable[[bytes], Any]:
        if type_ not in self._decoders:
            try:
                self._decoders[type_] = ros.decoder(type_, self._window.definitions[type_])
            except ValueError as error:
                self._decoders[type_] = error
        found = self._decoders[type_]
        if isinstance(found, ValueError):
            raise found
        return found

    def _fail(self, topic: str, recorded: int, reason: str) -> None:
        self._complaints(topic, (recorded - self._window.start) / _SECOND, reason)
