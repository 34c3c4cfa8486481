"""A way to the server that can say everything twice, and too late."""

from __future__ import annotations

import http.client
import random
import socket
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.campaign.network import SERVER_HOST, Holder

PATIENCE_S = 60
KEPT = ("Authorization", "Content-Type", "Content-Range", "Baygrid-Attempt-Token")


@dataclass(frozen=True)
class Said:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Proxy:
    """Listens at the server's place and passes on. While it is `unruly` each change that an agent sends is
    by chance sent twice, held back until after the next one, or both; what came too late or twice is counted
    by the server's answer in `late`."""

    def __init__(self, place: Holder, to: int, chance: random.Random) -> None:
        self._place, self._to, self._chance = place, to, chance
        self._lock = threading.Lock()
        self._held: list[Said] = []
        self._unruly = False
        self.late: Counter[int] = Counter()
        with place.entered():
            self._server = _Threads((SERVER_HOST, 0), _handler(self))
        self.address = f"http://{SERVER_HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def misbehave(self) -> None:
        with self._lock:
            self._unruly = True
            self.late.clear()

    def behave(self) -> None:
        """What is still held back arrives now."""
        with self._lock:
            self._unruly = False
            held, self._held = self._held, []
        for said in held:
            self._again(said)

    def passes(self, said: Said) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """The answer, or None: it is lost."""
        with self._lock:
            unruly = self._unruly and said.method != "GET"
            hold, twice = unruly and self._chance.random() < 0.25, unruly and self._chance.random() < 0.5
            before, self._held = (self._held, []) if unruly and not hold else ([], self._held)
            if hold:
                self._held.append(said)
        if hold:
            return None
        answer = self._send(said)
        for one in (*before, *([said] if twice else [])):
            self._again(one)
        return answer

    def _again(self, said: Said) -> None:
        with suppress(OSError, http.client.HTTPException):
            status = self._send(said)[0]
            with self._lock:
                self.late[status] += 1

    def _send(self, said: Said) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._to, timeout=PATIENCE_S)
        try:
            with self._place.entered():
                connection.connect()
            connection.request(said.method, said.path, said.body, said.headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are what this is for."""


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = PATIENCE_S

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: self.headers[name] for name in KEPT if name in self.headers}
            try:
                answer = proxy.passes(Said(self.command, self.path, headers, body))
            except (OSError, http.client.HTTPException):
                answer = None
            if answer is None:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, told, content = answer
            self.send_response_only(status)
            for name, value in told:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = _pass  # noqa: N815 - as http.server calls them

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    return Handler
