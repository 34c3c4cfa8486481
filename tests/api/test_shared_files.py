"""Files of shared tables are made once, by one server, and go when nobody needs them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from baygrid.api.app import create_app
from baygrid.api.delta import tables as endpoint
from baygrid.app import contracts, looks, shared_files
from baygrid.app.shared_files import IDLE_MS, LEASE_MS
from baygrid.core.data.terms import Terms
from baygrid.ports.reader import File, Look, Source
from baygrid.ports.shares import SnapshotRow, State
from baygrid.sharing.places.allowed import Allowed
from tests.api.sharing import PROVIDER, Sharing
from tests.sharing.here import Here

ROWS = pa.table({"id": list(range(10))})
RAIN = "/delta-sharing/shares/weather/schemas/demo/tables/rain/metadata"
QUERY = RAIN.replace("metadata", "query")
FOG = "/delta-sharing/shares/mist/schemas/demo/tables/fog/metadata"


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


class Slow(Here):
    """The reader, of one table slow: it begins, and ends when it may."""

    def __init__(self, scratch: Path, allowed: Allowed, slow: str) -> None:
        super().__init__(scratch, allowed)
        self._slow, self.began, self.may_end = slow, threading.Event(), threading.Event()

    def _wait(self, source: Source) -> None:
        if source.uri.endswith(self._slow):
            self.began.set()
            assert self.may_end.wait(60)

    def look(self, source: Source, version: int | None = None) -> Look:
        self._wait(source)
        return super().look(source, version)

    def write(
        self, source: Source, terms: Terms, salt: bytes, folder: Path, version: int | None
    ) -> Sequence[File]:
        self._wait(source)
        return super().write(source, terms, salt, folder, version)


def slow(region: Region, table: str) -> Slow:
    """From now on the region reads that table slowly."""
    world = region.world
    found = Slow(world.folder / "slow", Allowed(roots=(world.data,)), table)
    world.platform = replace(world.platform, reader=found)
    world.app = create_app(world.platform, role=lambda: world.role)
    return found


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


def test_a_slow_table_delays_no_other(region: Region):
    world = region.world
    world.share(world.offer("fog", world.parquet("fog", ROWS)), share="mist")
    with TestClient(world.app) as http:
        assert http.get(FOG, headers=region.headers).status_code == 200  # looked at while it is quick
    known = world.platform.looks
    reader = slow(region, "fog")
    object.__setattr__(world.platform, "looks", known)
    with TestClient(world.app) as http, ThreadPoolExecutor(1) as pool, world.making(2):
        late = pool.submit(http.post, FOG.replace("metadata", "query"), json={}, headers=region.headers)
        assert reader.began.wait(60)
        assert region.ask(http).status_code == 200
        assert not late.done()
        reader.may_end.set()
        assert late.result().status_code == 200


def test_who_asks_while_another_looks_for_long_is_told_to_come_again(
    region: Region, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(looks, "PATIENCE_S", 0.01)
    reader = slow(region, "rain")
    with TestClient(region.world.app) as http, ThreadPoolExecutor(1) as pool:
        first = pool.submit(http.get, RAIN, headers=region.headers)
        assert reader.began.wait(60)
        second = http.get(RAIN, headers=region.headers)
        assert (second.status_code, second.headers["retry-after"]) == (503, "5")
        assert "slow to answer: try again" in second.json()["message"]
        reader.may_end.set()
        assert first.result().status_code == 200
        assert http.get(RAIN, headers=region.headers).status_code == 200


def test_what_a_dead_server_was_making_another_makes(region: Region, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(endpoint, "WAIT_S", 0.01)
    world = region.world
    with TestClient(world.app) as http:
        region.ask(http)
        now = world.clock()
        assert world.store.write(lambda tx: tx.shares.claim("dead", now, now + LEASE_MS)) is not None
        assert not shared_files.make_next(world.platform, "alive")
        world.clock.ahead_ms += LEASE_MS // 2
        shared_files.keep(world.platform, ["dead"])
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
