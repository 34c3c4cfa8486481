"""Signed addresses of shared files: ranges, who is refused, and downloads that are stopped on their way."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from baygrid.app import contracts, recipients
from baygrid.core.data.links import LIFE_MS
from tests.api.sharing import CONSUMER, PROVIDER, Sharing
from tests.api.world import serving

ROWS = pa.table({"id": pa.array(range(1000), pa.int64())})
QUERY = "/delta-sharing/shares/weather/schemas/demo/tables/rain/query"


@dataclass
class Shared:
    """A table, a recipient, and the address of its only file."""

    world: Sharing
    http: TestClient
    contract: str
    url: str
    content: bytes
    sha256: str

    def get(self, url: str | None = None, method: str = "GET", **headers: str) -> Any:
        return self.http.request(method, url or self.url, headers=headers)


def asked(http: Any, token: str, path: str = QUERY) -> dict[str, Any]:
    """The first file of a query."""
    answer = http.post(path, json={}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text.splitlines()[2])["file"]
    return found


@pytest.fixture
def shared(tmp_path: Any) -> Iterator[Shared]:
    world = Sharing(tmp_path)
    table = world.offer("rain", world.parquet("rain", ROWS))
    contract = world.share(table, share="weather")
    with TestClient(world.app, base_url="http://test") as http, world.making():
        file = asked(http, world.profile("anna")["bearerToken"])
        content = http.get(file["url"]).content
        (sha256,) = world.store.read(
            lambda tx: {
                it.sha256 for it in tx.shares.files([row.id for row in tx.shares.of_grant(grant(world))])
            }
        )
        yield Shared(world, http, contract, file["url"], content, sha256)
    world.close()


def grant(world: Sharing) -> str:
    """The only one."""
    (row,) = world.store.read(lambda tx: tx.contracts.of_consumer("other"))
    (found,) = world.store.read(lambda tx: tx.contracts.grants([row.id]))
    return found.id


def audit(world: Sharing, kind: str) -> list[Any]:
    return [link for link in world.store.read(lambda tx: tx.audit.after(0, 1000)) if link.kind == kind]


def test_the_whole_file_needs_no_token(shared: Shared):
    answer = shared.get()
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{shared.sha256}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert "private" in answer.headers["cache-control"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert pq.read_table(io.BytesIO(answer.content))["id"].to_pylist() == list(range(1000))


def test_a_head_says_what_a_get_would_send(shared: Shared):
    answer = shared.get(method="HEAD", Range="bytes=0-9")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(shared.content)


@pytest.mark.parametrize(("asked", "start", "stop"), [("0-9", 0, 10), ("10-", 10, None), ("-8", -8, None)])
def test_a_range_of_it(shared: Shared, asked: str, start: int, stop: int | None):
    answer = shared.get(Range=f"bytes={asked}")
    assert answer.status_code == 206
    assert answer.content == shared.content[start:stop]
    size = len(shared.content)
    first = start % size
    last = (stop or size) - 1
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
    fresh = shared.get(Range=f"bytes={asked}", **{"If-Range": f'"{shared.sha256}"'})
    assert fresh.content == answer.content
    stale = shared.get(Range=f"bytes={asked}", **{"If-Range": '"other"'})
    assert (stale.status_code, stale.content) == (200, shared.content)


def test_a_range_beyond_its_end_cannot_be_sent(shared: Shared):
    answer = shared.get(Range=f"bytes={len(shared.content)}-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(shared.content)}"


@pytest.mark.parametrize("part", ["file", "until", "grant", "recipient", "sig"])
def test_an_altered_address_is_refused(shared: Shared, part: str):
    parts = urlsplit(shared.url)
    query = {name: value for name, (value,) in parse_qs(parts.query).items()}
    path = parts.path
    if part == "file":
        path = path[:-1] + ("0" if path[-1] != "0" else "1")
    elif part == "until":
        query["until"] = str(int(query["until"]) + 1)
    else:
        query[part] = query[part][:-1] + ("0" if query[part][-1] != "0" else "1")
    answer = shared.get(f"{path}?{urlencode(query)}")
    assert answer.status_code == 403
    assert answer.json()["detail"] == shared.get(f"{path}?{urlencode(query | {'sig': 'x'})}").json()["detail"]


def test_the_address_of_one_file_is_not_another_s(shared: Shared):
    world = shared.world
    other = world.offer("wind", world.parquet("wind", ROWS))
    world.share(other, share="wind")
    token = world.profile("bea")["bearerToken"]
    file = asked(shared.http, token, "/delta-sharing/shares/wind/schemas/demo/tables/wind/query")
    mine, theirs = urlsplit(shared.url), urlsplit(file["url"])
    assert shared.get(f"{theirs.path}?{mine.query}").status_code == 403
    assert shared.get(f"{mine.path}?{theirs.query}").status_code == 403


def test_an_address_ends(shared: Shared):
    shared.world.clock.ahead_ms += LIFE_MS - 60_000
    assert shared.get().status_code == 200
    shared.world.clock.ahead_ms += 60_000
    assert shared.get().status_code == 403


def test_what_is_missing_or_odd_in_an_address_is_refused(shared: Shared):
    parts = urlsplit(shared.url)
    assert shared.get(parts.path).status_code == 422
    for wrong in (f"{shared.url}&until=1", f"{shared.url}&more=1", shared.url.replace("until=", "until=x")):
        assert shared.get(wrong).status_code == 422


def test_a_revoked_recipient_s_addresses_end_at_once(shared: Shared):
    recipients.revoke(shared.world.platform, CONSUMER, None, "anna")
    answer = shared.get()
    assert answer.status_code == 403
    assert "revoked" in answer.json()["detail"]


@pytest.mark.parametrize("side", [PROVIDER, CONSUMER])
def test_a_contract_that_ends_takes_its_files_with_it(shared: Shared, side: Any):
    contracts.terminate(shared.world.platform, side, shared.contract, "no more")
    answer = shared.get()
    assert answer.status_code == 403
    assert answer.json()["reason"]["code"] == "contract-not-finalized"
    (refused,) = audit(shared.world, "read-refused")
    assert refused.contract == shared.contract
    assert refused.data["reason"]["code"] == "contract-not-finalized"


def test_what_was_handed_out_and_read_is_in_the_audit(shared: Shared):
    for _ in range(3):
        shared.get(Range="bytes=-8")
    (delivered,) = audit(shared.world, "table-delivered")
    assert delivered.data["files"] == 1
    assert delivered.data["rows"] == 1000
    (read,) = audit(shared.world, "file-read")  # once in a while, whatever ranges are asked for
    assert read.data["sha256"] == shared.sha256
    shared.world.clock.ahead_ms += 60_000
    shared.get()
    assert len(audit(shared.world, "file-read")) == 2


def test_a_suspended_contract_stops_a_download_on_its_way(tmp_path: Any):
    """On real sockets: what the client has not taken yet, it never gets."""
    world = Sharing(tmp_path)
    count = 1_900_000
    noise = {
        name: pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(os.urandom(8 * count))])
        for name in ("id", "a", "b")
    }
    contract = world.share(world.offer("rain", world.parquet("rain", pa.table(noise))), share="weather")
    with serving(world.app) as address, world.making(), httpx2.Client(base_url=address, timeout=60) as http:
        file = asked(http, world.profile("anna", address)["bearerToken"])
        assert file["size"] > 24 << 20
        with http.stream("GET", file["url"]) as answer:
            pieces = answer.iter_raw(1 << 16)
            got = len(next(pieces))
            contracts.suspend(world.platform, PROVIDER, contract, "a complaint")
            with pytest.raises(httpx2.RemoteProtocolError):
                got += sum(map(len, pieces))
        assert got < file["size"]
        assert http.get(file["url"]).status_code == 403
    codes = [link.data["reason"]["code"] for link in audit(world, "read-refused")]
    assert codes == ["contract-suspended", "contract-suspended"]
    world.close()
