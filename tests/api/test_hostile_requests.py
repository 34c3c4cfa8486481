"""Whole requests of a centre that lies: each is refused with one problem, logged once, counted, and changes
nothing."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import orjson
import pytest

from baygrid.app.declared import MAX_ATTEMPTS, MAX_USAGE
from baygrid.app.plausible import CLOCK_MS
from baygrid.ports.messages import AttemptReport, NodeReport, PartitionReport
from baygrid.ports.records import AttemptRecord
from baygrid.ports.wire import encode
from tests.api.liar import DIGEST, MIB, RUNNING, Liar
from tests.api.world import CPU


def test_more_attempts_than_there_can_be(liar: Liar):
    many = [AttemptReport(f"a{n}", "t", RUNNING) for n in range(MAX_ATTEMPTS + 1)]
    body = liar.report(*many)
    liar.rejected(422, "invalid", f"at most {MAX_ATTEMPTS}", lambda: liar.send(body))


def test_more_signatures_than_anybody_verifies(liar: Liar):
    body = liar.report(liar.item(RUNNING, usage=(liar.usage(),) * (MAX_USAGE + 1)))
    liar.rejected(422, "invalid", f"at most {MAX_USAGE}", lambda: liar.send(body))


@pytest.mark.parametrize(
    "lie",
    [
        {"attempts": [{"attempt": "a" * 7 * MIB, "token": "t", "state": "RUNNING"}]},
        {"public_key": "k" * 10**6},
        {"public_key": "zz" * 32},
        {"inventory_digest": "d" * 10**6},
        {"inventory_digest": "\x1b[2J"},
        {"seq": -1},
        {"incarnation": -1},
        {"incarnation": 2**62},
        {"attempts": {"a": 1}},
        {"attempts": [[]]},
        {"attempts": [{"attempt": "a", "token": "t", "state": "DREAMING"}]},
        {"attempts": [{"attempt": "a", "token": "t", "state": {"x": []}}]},
        {"seq": True},
        {"seq": 1.0},
        {"now": "soon"},
        {"now": None},
        {"now": 2**63},
        {"public_key": "nul\0"},
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_report_that_is_none(liar: Liar, lie: dict[str, Any]):
    body = liar.report() | lie
    liar.rejected(422, "invalid", "", lambda: liar.send(body))


def test_a_jump_of_the_incarnation_locks_nobody_out(liar: Liar):
    """The most that a thief can take is what clocks may differ by; then who has the credential goes on."""
    body = liar.report(incarnation=liar.now + CLOCK_MS + 60_000)
    liar.rejected(422, "invalid", "set the clock", lambda: liar.send(body))
    assert liar.send(liar.report(incarnation=liar.now + CLOCK_MS - 60_000)).status_code == 200
    assert liar.send(liar.report(incarnation=liar.now)).status_code == 409
    liar.world.clock.ahead_ms += CLOCK_MS
    assert liar.send(liar.report(incarnation=liar.now)).status_code == 200


NAMES = [
    "",
    "c0\x1b[31mred",
    "c0\nc1",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "a/b",
    "a b",
    "\u202egnp",
    "n" * 254,
    "n" * 10**6,
]


def _inventory(name: str = "c0", partition: str = "cpu", **lie: Any) -> tuple[PartitionReport, ...]:
    return (PartitionReport(partition, (replace(NodeReport(name, 32, 1024), **lie),)),)


@pytest.mark.parametrize(
    ("inventory", "why"),
    [
        *[(_inventory(name), "must have 1 to 253") for name in NAMES],
        *[(_inventory(partition=name), "must have 1 to 253") for name in NAMES],
        *[(_inventory(accelerators={name: 1}), "such a name") for name in NAMES],
        (_inventory(cpus=10**12), "65536 cpus"),
        (_inventory(cpus=-1), "65536 cpus"),
        (_inventory(memory_mib=2**62), "MiB of memory"),
        (_inventory(accelerators={"H100": 10**9}), "of 'H100', not 1000000000"),
        (_inventory(accelerators={f"m{n}": 1 for n in range(10**4)}), "at most 16 models"),
        ((PartitionReport("cpu", CPU.nodes, time_limit_s=-1),), "must be 1 to"),
        ((PartitionReport("cpu", CPU.nodes, time_limit_s=2**62),), "must be 1 to"),
        ((PartitionReport("cpu", (CPU.nodes[0],) * 2),), "names one twice"),
        ((CPU, CPU), "names one twice"),
        (tuple(PartitionReport(f"p{n}", ()) for n in range(1_001)), "more than 1000 partitions"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_an_inventory_that_cannot_be(liar: Liar, inventory: tuple[PartitionReport, ...], why: str):
    body = liar.report(inventory=inventory, inventory_digest="new")
    liar.rejected(422, "invalid", why, lambda: liar.send(body))


def test_more_nodes_than_a_centre_has(liar: Liar, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("baygrid.app.declared.MAX_NODES", 3)
    body = liar.report(inventory=(CPU,), inventory_digest="new")
    liar.rejected(422, "invalid", "or 3 nodes", lambda: liar.send(body))


def test_a_million_nodes(liar: Liar):
    nodes = b",".join(b'{"name":"n%d","cpus":1,"memory_mib":1}' % n for n in range(1_000_000))
    body = encode(liar.report()).replace(
        b'"inventory":null', b'"inventory":[{"name":"p","nodes":[%s]}]' % nodes
    )
    liar.rejected(413, "too-large", "at most", lambda: liar.send(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"seq": NaN}',
        b'{"seq": Infinity}',
        b'{"seq": 1e400}',
        b'{"seq": ' + b"9" * 5_000 + b"}",
        b'{"public_key": "\xff\xfe"}',
        b'{"public_key": "\\ud800"}',
        b'{"version": 1} {"version": 1}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json(liar: Liar, body: bytes):
    liar.rejected(400, "malformed", "not valid JSON", lambda: liar.send(body))


def test_a_field_that_is_there_twice(liar: Liar):
    body = orjson.dumps(liar.report())
    twice = body.replace(b'"version":1', b'"version":1,"version":1')
    liar.rejected(422, "invalid", "the same field twice", lambda: liar.send(twice))
    spaced = body.replace(b'"version":1', b'"version" : 1, "driver": {"name": "a:\\"b:", "version": "x:y"}')
    assert liar.send(spaced.replace(b',"driver":null', b"")).status_code == 200


def test_a_bomb_is_not_unpacked(liar: Liar):
    bomb = gzip.compress(b" " * (64 * MIB))
    for coding in ("gzip", "deflate", "br", "zstd", "identity, gzip"):
        liar.client.get("/v1/me").raise_for_status()
        answer = liar.send(bomb, **{"Content-Encoding": coding})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert liar.counted() == {"unsupported-media-type": 5}


def test_a_gibibyte_in_chunks(liar: Liar):
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1024):
            sent += MIB
            yield b" " * MIB

    def send() -> httpx2.Response:
        return liar.client.post(
            "/v1/agent/report", content=chunks(), headers={"Content-Type": "application/json"}
        )

    liar.rejected(413, "too-large", "at most", send)
    assert sent < 200 * MIB, "it was told so long before the end"


def test_a_gibibyte_announced(liar: Liar):
    host, port = liar.client.base_url.host, liar.client.base_url.port
    head = "POST /v1/agent/report HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
    head += f"{'Authorization'}: Bearer {liar.world.secrets['far']}\r\nContent-Length: {1024 * MIB}\r\n\r\n"

    def send() -> httpx2.Response:
        with socket.create_connection((host, port or 80), timeout=10) as connection:
            connection.sendall(head.encode())
            found = bytearray()
            while piece := connection.recv(65_536):
                found += piece
        top, _, body = bytes(found).partition(b"\r\n\r\n")
        kind = {"content-type": "application/problem+json"}
        return httpx2.Response(int(top.split()[1]), headers=kind, content=body)

    liar.rejected(413, "too-large", "at most", send)


# Logs and blobs


def _log(liar: Liar, data: bytes, offset: int = 0, attempt: AttemptRecord | None = None) -> httpx2.Response:
    one = attempt or liar.mine
    return liar.client.put(
        f"/v1/agent/logs/{one.id}?offset={offset}",
        content=data,
        headers={"Baygrid-Attempt-Token": one.token},
    )


def test_log_beyond_its_end_is_not_kept(liar: Liar):
    before = liar.state_of_the_world()
    for offset in (1, 10**9, 2**61):
        assert _log(liar, b"far out", offset).json() == {"size": 0}
    assert liar.state_of_the_world() == before


@pytest.mark.parametrize("offset", [-1, 2**63, 10**30])
def test_a_log_at_no_offset(liar: Liar, offset: int):
    liar.rejected(422, "invalid", "offset", lambda: _log(liar, b"x", offset))


def test_a_log_of_another_centres_attempt(liar: Liar):
    liar.rejected(404, "not-found", "no attempt", lambda: _log(liar, b"x", attempt=liar.theirs))


def test_a_log_without_end_is_kept_up_to_its_limit(liar: Liar, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("baygrid.app.logs.MAX_LOG_BYTES", 3 * MIB)
    ends = [_log(liar, b"x" * 2 * MIB, n * 2 * MIB).json()["size"] for n in range(8)]
    assert ends == [2 * MIB * n for n in range(1, 9)], "the job must not block on it"
    held = [data for key, data in liar.world.objects.kept.items() if liar.mine.id in key]
    assert sum(map(len, held)) == 3 * MIB


def test_a_blob_that_is_not_what_its_name_says(liar: Liar):
    url = f"/v1/blobs/{'0' * 64}"
    liar.rejected(422, "invalid", "has the SHA-256", lambda: liar.client.put(url, content=b"something else"))
    assert not any("0" * 64 in key for key in liar.world.objects.kept)
    assert liar.client.head(url).status_code == 404


def test_a_blob_of_somebody_else_is_not_had_by_knowing_its_name(liar: Liar):
    liar.rejected(404, "not-found", "no blob", lambda: liar.client.get(f"/v1/blobs/{DIGEST}"))
