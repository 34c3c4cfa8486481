"""The user's end of a tunnel: one request that sends, one that reads, in two threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from baygrid.cli.errors import CliError
from baygrid.ports.tunnels import REFUSED, Frame, frames, packed

if TYPE_CHECKING:
    from baygrid.client.connection import Connection


class Tunnel:
    """Open from the start. `send` may be called from any thread."""

    def __init__(self, client: Connection, job: str, body: dict[str, Any]) -> None:
        self._client = client
        self._id = client.post(f"/v1/jobs/{job}/tunnels", body)["id"]
        self._sending: SimpleQueue[bytes | None] = SimpleQueue()
        self._room = threading.Semaphore(64)
        threading.Thread(target=self._send, daemon=True).start()

    def send(self, kind: bytes, data: bytes = b"") -> None:
        """Waits while much is on its way."""
        self._room.acquire()
        self._sending.put(packed(kind, data))

    def close(self) -> None:
        """What was sent arrives, then nothing."""
        self._sending.put(None)

    def received(self) -> Iterator[Frame]:
        """Until the other end is done. Raises CliError."""
        import httpx2  # help and version do not load it

        heard = False
        try:
            with self._client.stream(f"/v1/tunnels/{self._id}/out") as answer:
                for frame in frames(answer.iter_raw()):
                    heard = True
                    if frame[0] == REFUSED:
                        raise CliError(frame[1].decode(errors="replace"), code="refused")
                    yield frame
        except httpx2.TransportError as broken:
            raise CliError(f"the connection broke: {broken}", code="connection-lost") from broken
        if not heard:
            raise CliError("its centre did not answer", code="no-answer", cure="try again in a moment")

    def _send(self) -> None:
        def chunks() -> Iterator[bytes]:
            while (data := self._sending.get()) is not None:
                self._room.release()
                yield data

        self._client.pour(f"/v1/tunnels/{self._id}/in", chunks())
