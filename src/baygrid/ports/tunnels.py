"""Tunnels from a user's machine to a job's node: a command beside the running job, or a connection to a port.

The agent only dials out. It asks the server which tunnels are wanted, and opens two requests for each: one
whose answer is what the user's machine sends, one whose body is what the job's node says. Both are a row of
frames: one byte that says what it is, four that say how long it is (big-endian), and so many bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

DATA: Final = b"d"  # of standard input, standard output, or a connection
ERROR: Final = b"e"  # of standard error
END: Final = b"z"  # nothing follows in this direction
SIZE: Final = b"s"  # of the terminal: "ROWS COLUMNS"
EXIT: Final = b"x"  # the last one of a command: its exit code
REFUSED: Final = b"r"  # the only one: why there is nothing
MOST: Final = 1 << 20
"""Bytes in one frame."""
QUIET_S: Final = 25.0
"""After so long without a word the job's node sends an empty one: so the user knows that it is there."""
_HEAD: Final = struct.Struct(">cI")

Frame = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Tunnel:
    """`token`: of the attempt that it leads to. `command`: none is the user's shell. `port` other than 0: no
    command, a connection to this port of the node, which must be the job's own. `rank`: whose node of a
    gang."""

    id: str
    attempt: str
    token: str
    command: tuple[str, ...] = ()
    terminal: bool = False
    rows: int = 24
    columns: int = 80
    term: str = "xterm"
    port: int = 0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an agent is told."""

    tunnels: tuple[Tunnel, ...] = field(default=())


class Way(Protocol):
    """An agent's way to the tunnels that the server wants. Each call may raise Unreachable or Refused."""

    def wanted(self, wait_s: float) -> tuple[Tunnel, ...]:
        """Parked at the server until there are some or `wait_s` passed. Each is told once."""
        ...

    def read(self, id: str) -> Iterator[bytes]:
        """What comes from the user's machine, until that ends."""
        ...

    def write(self, id: str, chunks: Iterator[bytes]) -> None: ...


def packed(kind: bytes, data: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(kind, len(data)) + data


def frames(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """The frames in a stream that is cut anywhere. Raises ValueError for one that is too long."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= _HEAD.size:
            kind, size = _HEAD.unpack_from(waiting)
            if size > MOST:
                raise ValueError(f"a frame of {size} bytes")
            if len(waiting) < _HEAD.size + size:
                break
            yield kind, bytes(waiting[_HEAD.size : _HEAD.size + size])
            del waiting[: _HEAD.size + size]
