"""The messages of a piece of an MCAP file, in bounded memory whatever the file says of itself."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Schema

from baygrid.workloads.driving.recording.records import HEAD, MESSAGE_HEAD, Damaged, message, records

LARGEST: Final = 256 << 20
"""Bytes of a chunk, packed or not. Recorders write chunks of about a megabyte; a picture or sweep is less
than a tenth of this."""
WINDOW: Final = 128 << 20
"""Bytes that unpacking may look back."""

Message = tuple[int, int, bytes]
"""Channel, time of its recording in nanoseconds, data."""


def messages(file: BinaryIO, offset: int, length: int, wanted: frozenset[int]) -> Iterator[Message]:
    """The messages of the `wanted` channels in a piece, in its order. Raises Damaged, at once or after
    some."""
    data = _unpacked(file, offset, length)
    for code, begin, end in records(data):
        if code == Opcode.MESSAGE and end - begin >= MESSAGE_HEAD:
            channel, time = message(data, begin)
            if channel in wanted:
                yield channel, time, bytes(data[begin + MESSAGE_HEAD : end])


def channels_in(file: BinaryIO, offset: int, length: int) -> tuple[list[Schema], list[Channel], set[int]]:
    """The schemas and channels that a piece tells of, and the ids of the channels that it has messages of."""
    data = _unpacked(file, offset, length)
    schemas, channels, used = [], [], set()
    try:
        for code, begin, end in records(data):
            if code == Opcode.SCHEMA:
                schemas.append(Schema.read(ReadDataStream(io.BytesIO(data[begin:end]))))
            elif code == Opcode.CHANNEL:
                channels.append(Channel.read(ReadDataStream(io.BytesIO(data[begin:end]))))
            elif code == Opcode.MESSAGE and end - begin >= MESSAGE_HEAD:
                used.add(message(data, begin)[0])
    except (McapError, ValueError) as error:
        raise Damaged(f"a damaged chunk: {error}") from error
    return schemas, channels, used


def _unpacked(file: BinaryIO, offset: int, length: int) -> memoryview:
    """The records in a piece: of a chunk's inside, or as they lie in the file."""
    if length > LARGEST:
        raise Damaged(f"a piece of {length:,} bytes; more than {LARGEST:,} are not read")
    if length < HEAD:
        raise Damaged(f"a piece of {length} bytes holds no record")
    file.seek(offset)
    data = file.read(length)
    if len(data) < length:
        raise Damaged("cut off")
    if data[0] != Opcode.CHUNK:
        return memoryview(data)
    try:
        chunk = Chunk.read(ReadDataStream(io.BytesIO(data[HEAD:])))
        whole = _decompressed(chunk)
    except (McapError, ValueError, OverflowError, zstandard.ZstdError, RuntimeError, EOFError) as error:
        raise Damaged(f"a damaged chunk: {error}") from error
    if chunk.uncompressed_crc and zlib.crc32(whole) != chunk.uncompressed_crc:
        raise Damaged("a damaged chunk: its checksum is wrong")
    return memoryview(whole)


def _decompressed(chunk: Chunk) -> bytes:
    """No more than the chunk says, and no more than LARGEST: a small file may unpack to any size."""
    size = chunk.uncompressed_size
    if size > LARGEST:
        raise Damaged(f"a chunk says that it unpacks to {size:,} bytes; more than {LARGEST:,} are not read")
    if chunk.compression == "zstd":
        unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        with unpacker.stream_reader(io.BytesIO(chunk.data)) as stream:
            data = stream.read(size + 1)
    elif chunk.compression == "lz4":
        data = lz4.frame.LZ4FrameDecompressor().decompress(chunk.data, max_length=size + 1)
    elif chunk.compression == "":
        data = chunk.data
    else:
        raise Damaged(f"compression {chunk.compression!r:.40} is not known")
    if len(data) != size:
        raise Damaged(f"a chunk says that it unpacks to {size:,} bytes, and does not")
    return data
