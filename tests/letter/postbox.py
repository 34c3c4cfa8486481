"""A real SMTP server in this process, and what it took."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class Postbox:
    """What a server took. `say`: its answer to RCPT or DATA by the address, where that is not yes."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes, bool]] = []
        self.rcpt: dict[str, str] = {}
        self.data: dict[str, str] = {}

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options):  # noqa: N802
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope):  # noqa: N802
        [address], transport = envelope.rcpt_tos, server.transport
        assert isinstance(transport, asyncio.Transport)
        answer = self.data.get(address, "250 taken")
        if answer == "lost":
            self._take(transport, envelope)
            transport.abort()
            return "250 taken"
        if answer.startswith("250"):
            self._take(transport, envelope)
        return answer

    def _take(self, transport: asyncio.Transport, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        sender = str(envelope.mail_from)
        encrypted = transport.get_extra_info("sslcontext") is not None
        self.taken.append((sender, list(envelope.rcpt_tos), envelope.content, encrypted))

    @property
    def to(self) -> list[str]:
        return [address for _, [address], _, _ in self.taken]


@contextmanager
def serving(box: Postbox, wrapped: ssl.SSLContext | None = None, **settings: Any) -> Iterator[int]:
    """Its port. `wrapped`: TLS from the first byte."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncio.Server:
        made = lambda: SMTP(box, loop=loop, **settings)  # noqa: E731
        return await loop.create_server(made, "127.0.0.1", 0, ssl=wrapped)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
