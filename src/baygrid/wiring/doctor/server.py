"""The way to the server, and what the server says of this agent."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx2

from baygrid.app.plausible import CLOCK_MS
from baygrid.centres.credential import Credential
from baygrid.ports.messages import VERSION
from baygrid.wiring.doctor.check import Check
from baygrid.wiring.ids import wall_clock
from baygrid.wiring.settings import AgentSettings

PATIENCE_S: Final = 10.0


def reach(url: str) -> Iterator[Check]:
    """Name, connection, encryption: each needs the one before."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield Check(
            "name", False, f"{host!r} is not found: {error}", "correct --server, or this machine's DNS"
        )
        return
    yield Check("name", True, f"{host} is {found[0][4][0]}")
    try:
        connection = socket.create_connection((host, port), PATIENCE_S)
    except OSError as error:
        cure = "start the server, or let this machine connect out to it (a firewall, a proxy)"
        yield Check("connection", False, f"{host}:{port}: {error}", cure)
        return
    yield Check("connection", True, f"{host}:{port} answers")
    with connection:
        if parts.scheme == "https":
            yield _encryption(connection, host)
        elif not _is_near(str(found[0][4][0])):
            cure = "use https: what is sent can be read on the way, the credential too"
            yield Check("encryption", False, f"none to {host}", cure)


def _encryption(connection: socket.socket, host: str) -> Check:
    try:
        with ssl.create_default_context().wrap_socket(connection, server_hostname=host) as secured:
            return Check("encryption", True, f"{secured.version()}, the certificate is {host}'s")
    except OSError as error:
        return Check(
            "encryption", False, str(error), "give the server a certificate that this machine trusts"
        )


def _is_near(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    return found.is_loopback or found.is_private


def answers(settings: AgentSettings) -> Iterator[Check]:
    """What the server says of itself, of our clock and of our credential."""
    secret = Credential(settings.state).read() or ""
    try:
        with httpx2.Client(base_url=settings.server, timeout=PATIENCE_S) as client:
            health = client.get("/healthz")
            before = wall_clock()
            me = client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
            now = (before + wall_clock()) // 2
    except httpx2.HTTPError as error:
        yield Check("server", False, f"no answer: {error}", "look whether a Baygrid server listens there")
        return
    try:
        version = str(health.json()["version"])
    except (ValueError, KeyError, TypeError):
        cure = "correct --server: something else answers there, a proxy perhaps"
        yield Check("server", False, f"{settings.server} is no Baygrid server ({health.status_code})", cure)
        return
    yield Check(
        "server", True, f"Baygrid {version} by {health.http_version}; this agent speaks protocol {VERSION}"
    )
    yield _clock(me.headers.get("date", ""), now)
    if not secret:
        return
    if me.status_code != 200:
        detail = str(me.json().get("detail", "")) if "json" in me.headers.get("content-type", "") else ""
        cure = "join anew with a token of the region's operator: `baygrid centres invite NAME`"
        yield Check("accepted", False, detail or f"the server answers {me.status_code}", cure)
        return
    centre = me.json().get("centre")
    right = not settings.centre or centre == settings.centre
    cure = "" if right else f"use the state folder of {settings.centre}, or --centre {centre}"
    yield Check("accepted", right, f"the server knows it as the agent of {centre}", cure)


def _clock(date: str, now: int) -> Check:
    try:
        theirs = int(parsedate_to_datetime(date).timestamp() * 1000) + 500  # it tells whole seconds
    except (TypeError, ValueError):
        return Check("clock", True, "the server does not say its time")
    off = (now - theirs) / 1000
    ok = abs(off) * 1000 < CLOCK_MS / 2
    said = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the server's"
    return Check("clock", ok, said, "" if ok else "let NTP set it: what is used in the future is not paid")
