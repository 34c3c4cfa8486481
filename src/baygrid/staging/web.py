"""https (and listed http) by a client that decides on every connection itself.

The name is looked up here, each of its addresses is judged, and the connection is made to the very address
that was judged; TLS then checks the name. No proxy, no cookies, no credentials, no compression; a redirect is
another address and is judged anew.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urljoin

import httpcore2

from baygrid.core.jobs.addresses import Address, address
from baygrid.core.reading import Wrong
from baygrid.staging.errors import Broken, Failed
from baygrid.staging.guard import NotAllowed, check_web, refused
from baygrid.staging.pace import Pace
from baygrid.staging.rules import Rules
from baygrid.staging.streams import PIECE, Stream

Resolve = Callable[[str, int], Sequence[str]]

MAX_REDIRECTS: Final = 5
_LEADS_ON: Final = (301, 302, 303, 307, 308)
_LATER: Final = (408, 425, 429, 500, 502, 503, 504)
_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_STRONG: Final = re.compile(r'"[\x21\x23-\x7e]*"')


def look_up(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, in the system's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class Web:
    """`streams.Way` of https and http. Safe for several threads."""

    def __init__(self, rules: Rules, resolve: Resolve = look_up) -> None:
        self._rules, self._resolve = rules, resolve
        self._tls: ssl.SSLContext | None = None

    @contextmanager
    def open(
        self, at: Address, project: str, offset: int, validator: str, pace: Pace
    ) -> Iterator[Stream | None]:
        came_by: Address | None = None
        for _ in range(MAX_REDIRECTS + 1):
            check_web(self._rules, at, came_by)
            pace.head()
            with self._asked(at, pace, offset, validator) as answer:
                if answer.status in _LEADS_ON:
                    at, came_by = _led(at, _header(answer, b"location")), at
                    continue
                pace.body()
                yield _stream(at, answer, offset, validator)
                return
        raise Failed(f"{at.host} leads on more than {MAX_REDIRECTS} times")

    @contextmanager
    def _asked(self, at: Address, pace: Pace, offset: int, validator: str) -> Iterator[httpcore2.Response]:
        name = str(Address(at.scheme, at.host, at.port, "/")).split("/")[
            2
        ]  # an IPv6 address has brackets there
        headers = [(b"host", name.encode()), (b"accept", b"*/*")]
        headers += [(b"accept-encoding", b"identity"), (b"user-agent", b"baygrid")]
        if offset > 0 and validator:
            headers += [(b"range", b"bytes=%d-" % offset), (b"if-range", validator.encode())]
        elif offset < 0 and validator:
            headers += [(b"if-none-match", validator.encode())]
        url = httpcore2.URL(
            scheme=at.scheme.encode(),
            host=at.host.encode(),
            port=at.port,
            target=(at.path + at.query).encode(),
        )
        backend = Guarded(self._rules, self._resolve, pace)
        try:
            with (
                httpcore2.ConnectionPool(ssl_context=self._trusted(), network_backend=backend) as pool,
                pool.stream("GET", url, headers=headers) as answer,
            ):
                yield answer
        except httpcore2.ConnectError:
            raise Broken(f"{at.host} cannot be reached") from None
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise Broken(f"the connection to {at.host} broke ({type(error).__name__})") from None

    def _trusted(self) -> ssl.SSLContext:
        """Made once, as reading the system's certificates takes long."""
        if self._tls is None:
            made = ssl.create_default_context()
            if self._rules.ca is not None:
                made.load_verify_locations(self._rules.ca)
            self._tls = made
        return self._tls


def _stream(at: Address, answer: httpcore2.Response, offset: int, validator: str) -> Stream | None:
    status = answer.status
    if status == 304 and offset < 0:
        return None
    if status in _LATER:
        raise Broken(f"{at.host} answered {status}")
    if status not in (200, 206):
        raise Failed(f"{at.host} answered {status} for {at.shown}")
    if _header(answer, b"content-encoding").lower() not in ("", "identity"):
        raise Failed(f"{at.host} sends it compressed although it was not asked to")
    etag = _header(answer, b"etag")
    now = etag if _STRONG.fullmatch(etag) else ""
    length = _header(answer, b"content-length")
    total = int(length) if length.isascii() and length.isdigit() else None
    start = 0
    if status == 206:
        place = _RANGE.fullmatch(_header(answer, b"content-range"))
        if place is None or int(place[1]) != offset or now not in ("", validator):
            raise Failed(f"{at.host} answered with a part that was not asked for")
        start, total, now = offset, int(place[3]), validator
    return Stream(start, total, now, _pieces(answer))


def _pieces(answer: httpcore2.Response) -> Iterator[bytes]:
    kept = bytearray()
    for piece in answer.iter_stream():
        kept += piece
        if len(kept) >= PIECE // 4:
            yield bytes(kept)
            kept.clear()
    if kept:
        yield bytes(kept)


def _header(answer: httpcore2.Response, name: bytes) -> str:
    found = [value for key, value in answer.headers if key.lower() == name]
    return found[0].decode("latin-1").strip() if len(found) == 1 else ""


def _led(at: Address, location: str) -> Address:
    """Where a server leads to. Raises Failed."""
    try:
        return address(urljoin(str(at), location.partition("#")[0]))
    except (Wrong, ValueError):
        raise Failed(f"{at.host} leads to what is no address") from None


class Guarded(httpcore2.NetworkBackend):
    """Connects to addresses that were judged, and to nothing else."""

    def __init__(self, rules: Rules, resolve: Resolve, pace: Pace) -> None:
        self._rules, self._resolve, self._pace = rules, resolve, pace

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        why = "has no address"
        error: Exception | None = None
        for text in self._addresses(host, port):
            ip = ipaddress.ip_address(text)
            refusal = refused(self._rules, ip, port)
            if refusal is not None:
                why = f"leads to an address that is {refusal}"
                continue
            try:
                inner = httpcore2.SyncBackend().connect_tcp(str(ip), port, self._pace.left())
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as failed:
                error = failed
                continue
            return _Paced(inner, self._pace)
        if error is not None:
            raise error
        raise NotAllowed(f"{host} {why}: this centre fetches nothing from there")

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            try:
                return self._resolve(host, port)
            except (OSError, UnicodeError):
                raise Broken(f"the name {host} cannot be looked up") from None
        return [host]


class _Paced(httpcore2.NetworkStream):
    """A connection that may not dawdle."""

    def __init__(self, inner: httpcore2.NetworkStream, pace: Pace) -> None:
        self._inner, self._pace = inner, pace

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, self._pace.left())
        self._pace.took(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._pace.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            secured = self._inner.start_tls(ssl_context, server_hostname, self._pace.left())
        except httpcore2.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise Failed(f"the certificate of {server_hostname} is not trusted") from None
            raise
        return _Paced(secured, self._pace)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
