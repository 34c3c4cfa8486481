"""Real servers on 127.0.0.1 that serve content well or badly, an authority that signs their certificates,
and a stager that may ask them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from baygrid.staging.cache import Cache
from baygrid.staging.rules import Own, Rules
from baygrid.staging.stager import Stager

HOST = "data.example"


@cache
def authority() -> tuple[bytes, bytes]:
    """The authority's certificate, and a server's chain with its key; PEM."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Test CA", HOST)]
    made = []
    for number, key in enumerate(keys):
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[number])
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
        )
        if number:
            ip = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName("cdn.example"), ip]),
                critical=False,
            )
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made[0], made[1] + private


@dataclass
class Served:
    """What lies at a path, and how it is served. `break_after`: so many bytes of each answer, then the line
    is cut, `breaks` times. `before`: called first with the handler, may answer itself by returning True."""

    content: bytes
    etag: str | None = '"one"'
    ranges: bool = True
    breaks: int = 0
    break_after: int = 0
    status: int = 200
    location: str | None = None
    chunked: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[BaseHTTPRequestHandler], object] = lambda handler: None


@dataclass
class Site:
    """A running server. `asked`: (path, headers) of every request, in order; `posted`: the bodies of those
    that have one."""

    port: int
    scheme: str
    things: dict[str, Served] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)

    def uri(self, path: str, host: str = HOST) -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.site.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def do_GET(self) -> None:
        self.close_connection = True
        self.site.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
        thing = self.site.things.get(self.path.partition("?")[0])
        if thing is None:
            self.send_error(404)
            return
        if thing.before(self):
            return
        if thing.etag is not None and self.headers.get("If-None-Match") == thing.etag:
            self.send_response(304)
            self.end_headers()
            return
        wanted = self.headers.get("Range")
        start = 0
        status = thing.status
        if wanted and thing.ranges and self.headers.get("If-Range") == thing.etag:
            start, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
        body = thing.content[start:]
        self.send_response(status)
        if status == 206:
            size = len(thing.content)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if thing.etag is not None:
            self.send_header("ETag", thing.etag)
        if thing.location is not None:
            self.send_header("Location", thing.location)
        for name, value in thing.headers.items():
            self.send_header(name, value)
        if thing.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if thing.breaks:
            thing.breaks -= 1
            self.wfile.write(body[: thing.break_after])
            self.wfile.flush()
        elif thing.chunked:
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        else:
            self.wfile.write(body)


@contextmanager
def serving(folder: Path, *, tls: bool = True, host: str = "127.0.0.1") -> Iterator[Site]:
    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is no trouble of the server's."""

    handler = type("Handler", (_Handler,), {})
    server = Quiet((host, 0), handler)
    if tls:
        chain = folder / "server.pem"
        chain.write_bytes(authority()[1])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    site = handler.site = Site(server.server_address[1], "https" if tls else "http")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Names:
    """A resolver: names to addresses, each lookup the next one of a name's list."""

    def __init__(self, **known: list[str]) -> None:
        self.known = {HOST: ["127.0.0.1"]} | {
            name.replace("_", "."): list(ips) for name, ips in known.items()
        }
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        found = self.known.get(host)
        if found is None:
            raise OSError("no such name")
        return [found.pop(0)] if len(found) > 1 else list(found)


@dataclass
class Listening:
    """Who wants it, and all that it heard."""

    heard: list[tuple[int, int | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stop_at: int | None = None
    fetched: list[int] = field(default_factory=list)

    def came(self, what: str, size: int) -> None:
        self.fetched.append(size)

    def told(self, done: int, total: int | None, note: str) -> None:
        self.heard.append((done, total))
        if note:
            self.notes.append(note)

    def wanted(self) -> bool:
        return self.stop_at is None or not self.heard or self.heard[-1][0] < self.stop_at


def loopback(*ports: int) -> tuple[Own, ...]:
    """The own network that a test's servers are."""
    return tuple(Own(ipaddress.ip_network("127.0.0.1/32"), port) for port in ports)


def stager(folder: Path, resolve: Names | None = None, **rules: Any) -> Stager:
    """With its cache in `folder`, trusting the test's authority."""
    trusted = folder / "ca.pem"
    trusted.write_bytes(authority()[0])
    told = Rules(**{"ca": str(trusted)} | rules)
    cache = Cache(folder / "cache", told.cache_bytes, told.cache_age_s, time.time)
    return Stager(told, cache, time.monotonic, lambda _: None, resolve or Names())
