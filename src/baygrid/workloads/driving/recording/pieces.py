"""What an MCAP file is made of, without reading what is in it: pieces that can be read each by itself.

The pieces come from the file's own summary; where there is none (a recorder was cut off), from a walk over
the records' headers, which finds all that is whole. Format: mcap.dev/spec, version 0."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, ChunkIndex, Footer, Schema, Statistics

from baygrid.workloads.driving.recording.chunks import channels_in
from baygrid.workloads.driving.recording.records import HEAD, MESSAGE_HEAD, Damaged, head, message, records

MAGIC: Final = b"\x89MCAP0\r\n"
LARGEST_SUMMARY: Final = 64 << 20
LARGEST_NOTE: Final = 1 << 20
"""Bytes of a schema or channel; longer ones are none."""
RUN: Final = 4 << 20
"""Messages outside of chunks make pieces of about so many bytes."""

_FOOTER: Final = HEAD + 20 + len(MAGIC)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the file that hold whole records: a chunk's, or messages outside of any. Times in
    nanoseconds."""

    offset: int
    length: int
    begin: int
    end: int
    channels: frozenset[int]


@dataclass
class Index:
    """Pieces in the file's order; schemas and channels by their ids; how many messages a channel has (where
    the summary says); `cut`: why the rest of the file could not be used, if it could not."""

    pieces: list[Piece] = field(default_factory=list)
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    cut: str | None = None


def index(file: BinaryIO) -> Index:
    """Raises Damaged where it is not an MCAP file at all."""
    size = file.seek(0, io.SEEK_END)
    if size == 0:
        raise Damaged("the file is empty (0 bytes)")
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise Damaged("not an MCAP file, whatever its name says")
    return _from_summary(file, size) or _walked(file, size)


def _from_summary(file: BinaryIO, size: int) -> Index | None:
    """What the file says of itself; None where it says nothing, or what cannot be."""
    if size < len(MAGIC) + _FOOTER:
        return None
    file.seek(size - _FOOTER)
    end = file.read(_FOOTER)
    if end[0] != Opcode.FOOTER or not end.endswith(MAGIC):
        return None
    start = Footer.read(ReadDataStream(io.BytesIO(end[HEAD:]))).summary_start
    if not 0 < size - _FOOTER - start <= LARGEST_SUMMARY:
        return None
    file.seek(start)
    found = Index()
    messages = 0
    try:
        summary = memoryview(file.read(size - _FOOTER - start))
        for code, first, last in records(summary):
            body = bytes(summary[first:last])
            stream = ReadDataStream(io.BytesIO(body))
            if code == Opcode.CHUNK_INDEX:
                of = ChunkIndex.read(stream)
                found.pieces.append(_piece(of))
            elif code == Opcode.STATISTICS:
                statistics = Statistics.read(stream)
                messages = statistics.message_count
                found.counts.update(statistics.channel_message_counts)
            else:
                _note(found, code, body)
    except (Damaged, McapError, ValueError, OverflowError):
        return None
    inside = all(p.offset >= len(MAGIC) and p.offset + p.length <= start for p in found.pieces)
    named = all(p.channels <= found.channels.keys() for p in found.pieces)
    found.pieces.sort(key=lambda piece: piece.offset)
    return found if inside and named and (found.pieces or not messages) else None


def _piece(of: ChunkIndex) -> Piece:
    channels = frozenset(of.message_index_offsets)
    return Piece(of.chunk_start_offset, of.chunk_length, of.message_start_time, of.message_end_time, channels)


def _note(found: Index, code: int, body: bytes) -> None:
    """Takes in a schema or a channel; other records say nothing here."""
    if code == Opcode.SCHEMA:
        schema = Schema.read(ReadDataStream(io.BytesIO(body)))
        found.schemas[schema.id] = schema
    elif code == Opcode.CHANNEL:
        channel = Channel.read(ReadDataStream(io.BytesIO(body)))
        found.channels[channel.id] = channel


@dataclass
class _Walk:
    """A walk over the records of a file that does not say what is in it."""

    file: BinaryIO
    size: int
    found: Index = field(default_factory=Index)
    run: list[int] = field(
        default_factory=list
    )  # offset, end, first and last time of messages outside of chunks
    run_channels: set[int] = field(default_factory=set)

    def walk(self) -> Index:
        at = len(MAGIC)
        while at < self.size:
            self.file.seek(at)
            begin = self.file.read(HEAD)
            code, length = head(begin) if len(begin) == HEAD else (0, self.size)
            if at + HEAD + length > self.size:
                self.found.cut = f"cut off at {at:,} of {self.size:,} bytes"
                break
            if code == 0 or code > Opcode.DATA_END:
                self.found.cut = f"damaged from {at:,} of {self.size:,} bytes on"
                break
            if code in (Opcode.FOOTER, Opcode.DATA_END):
                break
            try:
                self._record(code, at, length)
            except (McapError, ValueError):
                self.found.cut = f"damaged from {at:,} of {self.size:,} bytes on"
                break
            at += HEAD + length
        else:
            self.found.cut = f"cut off at {at:,} of {self.size:,} bytes"
        self._end_run()
        return self.found

    def _record(self, code: int, at: int, length: int) -> None:
        if code == Opcode.MESSAGE and length >= MESSAGE_HEAD:
            self._message(*message(self.file.read(MESSAGE_HEAD)), at, length)
            return
        if code in (Opcode.SCHEMA, Opcode.CHANNEL) and length <= LARGEST_NOTE:
            _note(self.found, code, self.file.read(length))
        elif code == Opcode.CHUNK:
            times = self.file.read(16)
            begin, end = int.from_bytes(times[:8], "little"), int.from_bytes(times[8:], "little")
            self._end_run()
            self.found.pieces.append(Piece(at, HEAD + length, begin, end, frozenset()))
        elif code == Opcode.MESSAGE_INDEX and self.found.pieces:
            last = self.found.pieces[-1]
            channels = last.channels | {int.from_bytes(self.file.read(2), "little")}
            self.found.pieces[-1] = Piece(last.offset, last.length, last.begin, last.end, channels)

    def _message(self, channel: int, time: int, at: int, length: int) -> None:
        if not self.run:
            self.run = [at, at, time, time]
        self.run[1:] = [at + HEAD + length, min(self.run[2], time), max(self.run[3], time)]
        self.run_channels.add(channel)
        if self.run[1] - self.run[0] >= RUN:
            self._end_run()

    def _end_run(self) -> None:
        if self.run:
            offset, end, first, last = self.run
            self.found.pieces.append(Piece(offset, end - offset, first, last, frozenset(self.run_channels)))
        self.run, self.run_channels = [], set()


def _walked(file: BinaryIO, size: int) -> Index:
    """Schemas and channels may lie in the chunks; those chunks are opened whose channels nobody has named."""
    found = _Walk(file, size).walk()
    for number, piece in enumerate(found.pieces):
        if piece.channels and piece.channels <= found.channels.keys():
            continue
        try:
            schemas, channels, used = channels_in(file, piece.offset, piece.length)
        except Damaged:
            continue  # whoever reads the piece will say so
        found.schemas.update({schema.id: schema for schema in schemas})
        found.channels.update({channel.id: channel for channel in channels})
        found.pieces[number] = Piece(piece.offset, piece.length, piece.begin, piece.end, frozenset(used))
    return found
