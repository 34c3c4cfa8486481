"""Bodies that are too large are refused at once, on a real connection."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import httpx2
import pytest

from baygrid.api.limits import MAX_BODY
from tests.api.world import World, job

MIB = 1024 * 1024


def _connect(address: str) -> socket.socket:
    url = urlsplit(address)
    connection = socket.create_connection((str(url.hostname), int(url.port or 0)), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _head(world: World, *lines: str) -> bytes:
    token = world.secrets["team"]
    first = ("POST /v1/jobs HTTP/1.1", "Host: test", f"Authorization: Bearer {token}")
    return "\r\n".join((*first, "Content-Type: application/json", *lines, "", "")).encode()


def _answer(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    found = bytearray()
    while piece := connection.recv(65_536):
        found += piece
    return bytes(found)


def test_50_mb_announced_are_refused_before_any_of_it_is_sent(world: World, address: str):
    before, began = world.dump(), time.monotonic()
    with _connect(address) as connection:
        connection.sendall(_head(world, f"Content-Length: {50 * MIB}"))
        first = connection.recv(65_536)
        assert first.startswith(b"HTTP/1.1 413 ")
        assert time.monotonic() - began < 1
        rest = first + _answer(connection)
    assert time.monotonic() - began < 5
    assert b"connection: close" in rest
    assert b'"code":"too-large"' in rest
    assert world.dump() == before


def test_a_client_that_sends_all_of_it_still_reads_the_answer(world: World, address: str):
    before, began = world.dump(), time.monotonic()
    headers = world.headers("team") | {"Content-Type": "application/json"}
    with httpx2.Client(base_url=address, headers=headers) as client:
        answer = client.post("/v1/jobs", content=b"x" * (50 * MIB))
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert answer.json()["detail"] == f"a body may have at most {MAX_BODY} bytes here: send less at once"
        assert client.get("/v1/jobs").status_code == 200
    assert time.monotonic() - began < 5
    assert world.dump() == before


def test_chunks_are_counted_as_they_come(world: World, address: str):
    before, began = world.dump(), time.monotonic()
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with _connect(address) as connection:
        connection.sendall(_head(world, "Transfer-Encoding: chunked"))
        for _ in range(16):
            connection.sendall(chunk)
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):  # exactly the limit: the server waits for more
            connection.recv(1)
        connection.settimeout(10)
        connection.sendall(b"1\r\nx\r\n")
        answer = _answer(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer
    assert time.monotonic() - began < 5
    assert world.dump() == before


def test_a_body_of_just_the_limit_is_read(world: World, address: str):
    document = job(name="x" * 200)
    with httpx2.Client(base_url=address, headers=world.headers("team")) as client:
        body = httpx2.Request("POST", address, json=document).read()
        padded = body + b" " * (MAX_BODY - len(body))
        headers = {"Content-Type": "application/json"}
        assert client.post("/v1/jobs", content=padded, headers=headers).status_code == 422  # the long name
        assert client.post("/v1/jobs", content=padded + b" ", headers=headers).status_code == 413


def test_an_unread_upload_is_refused_with_its_reason(world: World, address: str):
    """Not with a broken connection: the client learns that its token is wrong."""
    with httpx2.Client(base_url=address) as client:
        answer = client.put("/v1/blobs/" + "0" * 64, content=b"x" * (20 * MIB))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["connection"] == "close"


def test_a_stretch_of_log_has_its_own_limit(world: World, address: str):
    headers = world.headers("far") | {"Baygrid-Attempt-Token": "t"}
    with httpx2.Client(base_url=address, headers=headers) as client:
        url = "/v1/agent/logs/att-1?offset=0"
        assert client.put(url, content=b"x" * (4 * MIB)).status_code == 404
        assert client.put(url, content=b"x" * (4 * MIB + 1)).status_code == 413


def test_an_early_refusal_of_a_small_body_keeps_the_connection(world: World, address: str):
    with _connect(address) as connection:
        for _ in range(2):
            body = b'{"name": "x"}'
            head = f"POST /v1/jobs HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 4")
