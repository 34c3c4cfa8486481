"""A load client that costs next to nothing: prepared requests over a few keep-alive connections, one
selector.

It speaks only to 127.0.0.1 and stops by itself.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """`seconds` from the first byte sent to the last answer; `latencies_ms` of each request, sorted."""

    requests: int
    failed: int
    seconds: float
    latencies_ms: tuple[float, ...]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.buffer = b""

    def send(self, request: bytes) -> None:
        self.buffer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answered(self) -> int | None:
        """The status, once the whole answer is there."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return int(head[9:12]) if len(body) >= length else None


def post(path: str, token: str, body: bytes, headers: str = "") -> bytes:
    """One HTTP/1.1 POST of JSON, as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def run(port: int, requests: Iterator[bytes], connections: int, expect: int = 201) -> Load:
    """Sends all `requests`, at most one at a time on each connection."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    failed = 0
    started = time.perf_counter()
    for _ in range(connections):
        request = next(requests, None)
        if request is not None:
            connection = _Connection(port)
            connection.send(request)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
    while selector.get_map():
        for key, _ in selector.select(timeout=30):
            connection = key.data
            status = connection.answered()
            if status is None:
                continue
            latencies.append((time.perf_counter() - connection.sent_at) * 1000)
            failed += status != expect
            request = next(requests, None)
            if request is None:
                selector.unregister(connection.socket)
                connection.socket.close()
            else:
                connection.send(request)
    return Load(len(latencies), failed, time.perf_counter() - started, tuple(sorted(latencies)))
