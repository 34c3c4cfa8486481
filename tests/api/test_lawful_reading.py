"""What the law stops while it is being read: one person more, a rule of the next day. The next byte is
refused, and the audit says by which article."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from baygrid.app import shared_files
from baygrid.core.data.terms import Terms
from baygrid.core.days import beginning, day_of
from baygrid.ports.reader import Format
from tests.api.sharing import HARMLESS, PERSON, Sharing
from tests.api.test_files import asked, audit
from tests.api.world import serving

ILLNESS = replace(PERSON, subject=False, sensitive=True)
LABELS = {"id": PERSON, "illness": ILLNESS, "noise": HARMLESS}
QUERY = "/delta-sharing/shares/ill/schemas/demo/tables/ill/query"


def patients(count: int) -> pa.Table:
    return pa.table({"id": [f"p{n}" for n in range(count)], "illness": ["flu"] * count})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Sharing]:
    found = Sharing(tmp_path)
    yield found
    found.close()


def test_one_person_more_than_a_threshold_stops_a_running_download(world: Sharing):
    """By ranges, as engines read: 9,999 persons of sensitive information leave by the standard contract; at
    10,000 a security assessment is asked for (Provisions 7(2))."""
    table = world.offer("ill", world.parquet("ill", patients(9_999)), labels=LABELS)
    contract = world.share(table, share="ill", choice="sc")
    with TestClient(world.app, base_url="http://test") as http, world.making():
        token = world.profile("anna")["bearerToken"]
        file = asked(http, token, QUERY)
        assert http.get(file["url"], headers={"Range": "bytes=0-99"}).status_code == 206
        world.parquet("ill", patients(10_000))
        world.clock.ahead_ms += 10_000
        answer = http.post(QUERY, json={}, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 403
        assert "Provisions 7" in answer.json()["message"]
        rest = http.get(file["url"], headers={"Range": "bytes=100-"})
        assert rest.status_code == 403
        assert rest.json()["reason"]["code"] == "contract-suspended"
    refused = audit(world, "read-refused")
    assert {link.contract for link in refused} == {contract}
    assert all("Provisions 7" in link.data["reason"]["text"] for link in refused)
    assert audit(world, "persons-reached")


def test_a_new_year_s_rule_stops_a_download_at_midnight(world: Sharing):
    """On real sockets: until the end of 2025 another certificate was good."""
    midnight = beginning(date(2026, 1, 1))
    world.clock.ahead_ms = midnight - 60_000 - world.clock()
    count = 30_000
    rows = pa.table(
        {
            "id": [f"p{n % 5}" for n in range(count)],
            "illness": ["flu"] * count,
            "noise": [os.urandom(512).hex() for _ in range(count)],
        }
    )
    table = world.offer("ill", world.parquet("ill", rows), labels=LABELS)
    contract = world.share(table, share="ill", choice="cert")
    with serving(world.app) as address, world.making(), httpx2.Client(base_url=address, timeout=60) as http:
        file = asked(http, world.profile("anna", address)["bearerToken"], QUERY)
        assert file["size"] > 12 << 20
        with http.stream("GET", file["url"]) as answer:
            assert answer.status_code == 200
            pieces = answer.iter_raw(1 << 16)
            got = len(next(pieces))
            world.clock.ahead_ms += 60_000
            with pytest.raises(httpx2.RemoteProtocolError):
                got += sum(map(len, pieces))
        assert got < file["size"]
        after = http.get(file["url"])
        assert after.status_code == 403
        assert "PI Export Certification Measures" in after.json()["detail"]
    refused = audit(world, "read-refused")
    assert {(link.contract, link.data["reason"]["code"]) for link in refused} == {
        (contract, "obligation-open")
    }
    assert all("PI Export Certification Measures" in link.data["reason"]["text"] for link in refused)


def test_whom_files_show_is_noted_before_and_after(world: Sharing):
    """Of a version that is read and of one that was read before."""
    uri = world.delta("ill", patients(30))
    world.delta("ill", patients(20), mode="overwrite")
    table = world.offer("ill", uri, Format.DELTA, labels=LABELS)
    world.share(table, share="ill", choice="sc", terms=Terms(("illness",), "id <> 'p0'"))

    def counts() -> tuple[tuple[int, int], tuple[int, int]]:
        def load(tx: Any) -> tuple[tuple[int, int], tuple[int, int]]:
            grants = tx.persons.counted("uni", 0)
            return tx.persons.counts(grants), tx.persons.observed("uni", day_of(world.clock()).year)

        return world.store.read(load)

    assert counts() == ((0, 19), (0, 0))
    with TestClient(world.app, base_url="http://test") as http, world.making():
        headers = {"Authorization": f"Bearer {world.profile('anna')['bearerToken']}"}
        answer = http.post(QUERY, json={"version": 0}, headers=headers)
        assert answer.status_code == 200
        assert counts()[0] == (0, 29)
    shared_files.observe(world.platform, world.clock())
    assert counts()[1] == (0, 29)
