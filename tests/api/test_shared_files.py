"""Files of shared tables are made once, by one server, and go when nobody needs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from baygrid.api.delta import tables as endpoint
from baygrid.app import contracts, shared_files
from baygrid.app.shared_files import IDLE_MS, LEASE_MS
from baygrid.ports.shares import SnapshotRow, State
from tests.api.sharing import PROVIDER, Sharing

ROWS = pa.table({"id": list(range(10))})
QUERY = "/delta-sharing/shares/weather/schemas/demo/tables/rain/query"


class Region:
    def __init__(self, folder: Path) -> None:
        self.world = Sharing(folder)
        self.contract = self.world.share(
            self.world.offer("rain", self.world.parquet("rain", ROWS)), share="weather"
        )
        self.headers = {"Authorization": f"Bearer {self.world.profile('anna')['bearerToken']}"}

    def ask(self, http: TestClient) -> Any:
        return http.post(QUERY, json={}, headers=self.headers)

    def grow(self, rows: int) -> None:
        """Other rows, and time enough to see them."""
        self.world.parquet("rain", pa.table({"id": list(range(rows))}))
        self.world.clock.ahead_ms += 10_000

    @property
    def snapshots(self) -> list[SnapshotRow]:
        grants = self.world.store.read(lambda tx: tx.contracts.grants([self.contract]))
        return self.world.store.read(lambda tx: tx.shares.of_grant(grants[0].id))

    @property
    def objects(self) -> set[str]:
        return {key for key in self.world.objects.kept if key.startswith("shares/")}

    def later(self) -> None:
        self.world.clock.ahead_ms += IDLE_MS + 1
        shared_files.sweep(self.world.platform, self.world.clock())


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    found = Region(tmp_path)
    yield found
    found.world.close()


def test_many_who_ask_at_once_get_the_same_files(region: Region):
    with TestClient(region.world.app) as http, region.world.making(), ThreadPoolExecutor(8) as pool:
        answers = [it.result() for it in [pool.submit(region.ask, http) for _ in range(16)]]
    assert {answer.status_code for answer in answers} == {200}
    ids = {json.loads(answer.text.splitlines()[2])["file"]["id"] for answer in answers}
    assert len(ids) == len(region.snapshots) == len(region.objects) == 1


def test_who_waits_too_long_is_told_to_come_again(region: Region, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(endpoint, "WAIT_S", 0.01)
    with TestClient(region.world.app) as http:
        answer = region.ask(http)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["errorCode"] == "TEMPORARILY_UNAVAILABLE"
        region.world.make()
        assert region.ask(http).status_code == 200


def test_what_a_dead_server_was_making_another_makes(region: Region, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(endpoint, "WAIT_S", 0.01)
    world = region.world
    with TestClient(world.app) as http:
        region.ask(http)
        now = world.clock()
        assert world.store.write(lambda tx: tx.shares.claim("dead", now, now + LEASE_MS)) is not None
        assert not shared_files.make_next(world.platform, "alive")
        world.clock.ahead_ms += LEASE_MS // 2
        shared_files.keep(world.platform, "dead")
        world.clock.ahead_ms += LEASE_MS // 2
        assert not shared_files.make_next(world.platform, "alive")
        world.clock.ahead_ms += LEASE_MS
        assert shared_files.make_next(world.platform, "alive")
        assert region.ask(http).status_code == 200


def test_what_failed_is_made_when_it_can_be(region: Region, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(endpoint, "WAIT_S", 0.01)
    world = region.world
    with TestClient(world.app) as http:
        region.ask(http)
        source = world.data / "rain" / "part.parquet"
        content = source.read_bytes()
        source.unlink()
        world.make()
        assert [row.state for row in region.snapshots] == [State.FAILED]
        source.write_bytes(content)
        assert region.ask(http).status_code == 503
        world.clock.ahead_ms += 60_000
        region.ask(http)
        world.make()
        assert region.ask(http).status_code == 200


def test_a_table_that_changes_while_it_is_read_is_read_again(region: Region, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(endpoint, "WAIT_S", 0.01)
    with TestClient(region.world.app) as http:
        region.ask(http)
        region.grow(11)
        region.world.make()
        assert region.snapshots == []  # of the old version there is nothing to be had
        region.ask(http)
        region.world.make()
        assert region.ask(http).status_code == 200


def test_only_what_somebody_may_ask_for_again_is_kept(region: Region):
    world = region.world
    with TestClient(world.app) as http, world.making():
        region.ask(http)
        region.grow(11)
        region.ask(http)
    assert [row.number for row in region.snapshots] == [0, 1]
    region.later()
    assert [row.number for row in region.snapshots] == [1]
    assert len(region.objects) == 2  # who has an address may still be reading
    region.later()
    assert len(region.objects) == 1
    contracts.terminate(world.platform, PROVIDER, region.contract, "no more")
    region.later()
    region.later()
    assert region.objects == set()
    assert region.snapshots == []
