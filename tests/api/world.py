"""A region with two teams and two centres, for tests of the API."""

from __future__ import annotations

import itertools
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from baygrid.api.app import create_app
from baygrid.api.waiters import Hub
from baygrid.app import sync
from baygrid.app.access import Actor
from baygrid.app.allocations import Wanted, allot
from baygrid.app.catalogue import Catalogue
from baygrid.app.platform import Platform
from baygrid.app.scheduler import Scheduler
from baygrid.app.tokens import issue
from baygrid.centres.keys import Key
from baygrid.core.data.labels import Important, Labels
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.data import PartyRow, TableRow
from baygrid.ports.messages import AttemptReport, NodeReport, PartitionReport, Report
from baygrid.ports.reader import Column, Format
from baygrid.ports.records import AttemptRecord, CentreRecord, Kind, Offer, Organisation, Project, Role
from baygrid.ports.store import Store, Tx
from baygrid.staging.posting import WebCourier
from baygrid.staging.rules import STANDARD
from baygrid.store import open_store
from baygrid.store.vault import AesVault
from tests.app.rows import MemoryReader

Json = dict[str, Any]
PARTY = {"is_foreign_judicial_or_enforcement": False, "on_art42_list": False}


class Objects:
    """An object store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, key: str, chunks: Iterator[bytes]) -> int:
        self.kept[key] = b"".join(chunks)
        return len(self.kept[key])

    def get(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        end = None if length is None else offset + length
        return iter([self.kept[key][offset:end]])

    def size(self, key: str) -> int | None:
        return len(self.kept[key]) if key in self.kept else None

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


class Uploads:
    """Half-way blobs in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def size(self, key: str) -> int:
        return len(self.kept.get(key, b""))

    def append(self, key: str, offset: int, chunks: Iterator[bytes], limit: int) -> int:
        data = self.kept.get(key, b"")[:offset] + b"".join(chunks)
        if len(data) > limit:
            raise ValueError("more than announced")
        self.kept[key] = data
        return len(data)

    def read(self, key: str) -> Iterator[bytes]:
        return iter([self.kept.get(key, b"")])

    def drop(self, key: str) -> None:
        self.kept.pop(key, None)


class Ids:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self, kind: str, now: Instant) -> str:
        return f"{kind}-{now:013d}{next(self._numbers):06d}{secrets.token_hex(4)}"

    def earliest(self, kind: str, at: Instant) -> str:
        return f"{kind}-{at:013d}"

    def secret(self) -> str:
        return secrets.token_urlsafe(24)


class Clock:
    """The wall's, and what a test adds to it."""

    ahead_ms = 0

    def __call__(self) -> Instant:
        return time.time_ns() // 1_000_000 + self.ahead_ms


SIGNER = Key(b"a signing key of tests, of 32 b.")
VAULT = AesVault([b"a key of tests, 32 bytes long..."])
GPU = PartitionReport(
    "gpu", tuple(NodeReport(f"g{n}", 64, 512 * 1024, {"H100": 8}) for n in range(2)), time_limit_s=86_400
)
CPU = PartitionReport("cpu", tuple(NodeReport(f"c{n}", 32, 128 * 1024) for n in range(4)))


@dataclass
class World:
    """`secrets` by who: operator, team (of demo), rival (of other), hub (its agent), far (its agent).
    `url`: a database instead of a file in `folder`."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    secrets: dict[str, str] = field(default_factory=dict)
    role: str = "leader"
    url: str | None = None

    def __post_init__(self) -> None:
        self.reader = MemoryReader()
        self.reader.put("s3://bay/patients/", {"name": ["Li", "Wu"], "age": [30, 41]})
        self.database = self.folder / "region.db"
        self.objects = Objects()
        self.store = open_store(self.url or f"sqlite:///{self.database}")
        self.platform = Platform(
            self.store,
            self.objects,
            Uploads(),
            self.clock,
            Ids(),
            Catalogue(),
            ("local",),
            vault=VAULT,
            signer=SIGNER,
            reader=self.reader,
            courier=WebCourier(STANDARD, time.monotonic),
        )
        self.store.write(self._found)
        self.scheduler = Scheduler(self.platform, "this server")
        self.app: FastAPI = create_app(self.platform, role=lambda: self.role)

    def _found(self, tx: Tx) -> None:
        now = self.clock()
        for project, organisation, kind in (
            ("demo", "uni", Kind.UNIVERSITY),
            ("other", "startup", Kind.COMPANY),
        ):
            tx.region.insert_organisation(Organisation(organisation, kind, organisation.title()))
            row = Project(project, organisation, "CNY")
            tx.region.insert_project(row)
            first = Wanted(Money(10_000_00, "CNY"), "first grant")
            allot(self.platform, tx, row, first, "", now)
        for name, jurisdiction, partition in (("hub", "CN-QH", GPU), ("far", "HK", CPU)):
            tx.region.insert_centre(CentreRecord(name, jurisdiction, "local"))
            tx.region.set_inventory(name, (partition,), f"digest-{name}", "")
            tx.region.take_report(name, 1, 1, now)
        gpu = Tariff(now - 1000, "CNY", Fraction(20), Fraction(1, 4), Fraction(1, 50))
        cpu = Tariff(now - 1000, "CNY", Fraction(0), Fraction(1, 5), Fraction(1, 100))
        tx.region.insert_offer(Offer("hub-gpu", "hub", "gpu", "H100", "CNY", (gpu,)))
        tx.region.insert_offer(Offer("far-cpu", "far", "cpu", None, "CNY", (cpu,)))
        for who, role, project, centre in (
            ("operator", Role.OPERATOR, "", ""),
            ("team", Role.TEAM, "demo", ""),
            ("rival", Role.TEAM, "other", ""),
            ("hub", Role.CENTRE, "", "hub"),
            ("far", Role.CENTRE, "", "far"),
        ):
            made = issue(self.platform, tx, role, project or None, centre or None, who)
            self.secrets[who] = made[1]

    def clinic(self) -> Actor:
        """A team in the mainland whose table `clinic/beds` shows nobody."""
        nobody = Labels(personal=False, sensitive=False, important=Important.NO, core=False)
        now = self.clock()
        beds = TableRow(
            "clinic", "beds", 1, "Beds", "CN-QH", Format.PARQUET, "s3://bay/patients/", "", None,
            (Column("age", "int64"),), {"age": nobody}, "Dr Li", False, now, "tok-clinic",
        )  # fmt: skip

        def found(tx: Tx) -> None:
            if "clinic" in tx.region.projects(["clinic"]):
                return
            tx.region.insert_organisation(Organisation("clinic", Kind.COMPANY, "The clinic"))
            tx.region.insert_project(Project("clinic", "clinic", "CNY"))
            known = {"jurisdiction": "cn", "ciio": False, "state_organ": False}
            tx.catalogue.insert_party(PartyRow("clinic", 1, known, None, now, ""))
            there = {
                "jurisdiction": "hk",
                "on_art42_list": False,
                "is_foreign_judicial_or_enforcement": False,
            }
            before = tx.catalogue.party("uni")
            version = 1 if before is None else before.version + 1
            tx.catalogue.insert_party(PartyRow("uni", version, there, None, now, ""))
            tx.catalogue.insert_table(beds)

        self.store.write(found)
        return Actor("tok-clinic", Role.TEAM, "clinic", project="clinic")

    def place(self) -> None:
        """What the leader does: everything that fits is placed. Every centre has just reported. It takes in
        so many events a step, and says when it has more to do at once."""
        self._heard("hub")
        self._heard("far")
        for _ in range(20):
            now = self.clock()
            if self.scheduler.step(now) > now:
                return
        raise AssertionError("the leader does not come to rest")

    def verify_parties(self) -> None:
        """An operator knows of both organisations what the law of borders asks of everybody."""
        for name in ("uni", "startup"):
            row = PartyRow(name, 1, PARTY, None, self.clock(), "")
            self.store.write(lambda tx, row=row: tx.catalogue.insert_party(row))  # type: ignore[misc]

    def attempts(self, job: str) -> list[AttemptRecord]:
        return self.store.read(lambda tx: tx.attempts.of_jobs([job]))

    def report(self, who: str, attempt: AttemptRecord, state: AttemptState, **more: Any) -> None:
        """What the agent of centre `who` says of one attempt."""
        self._heard(who, AttemptReport(attempt.id, attempt.token, state, **more))

    def _heard(self, who: str, *items: AttemptReport) -> None:
        before = self.store.read(lambda tx: tx.region.centre(who))
        assert before is not None
        digest, now = before.inventory_digest, self.clock()
        message = Report(1, before.incarnation, before.seq + 1, 0, now, digest, None, "", items)
        sync.take_report(self.platform, Actor("agent", Role.CENTRE, who, centre=who), message)

    def headers(self, who: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets[who]}"} if who else {}

    def replica(self) -> tuple[FastAPI, Store]:
        """Another server on the same database and objects."""
        assert self.url is not None
        store = open_store(self.url)
        platform = replace(self.platform, store=store, catalogue=Catalogue())
        return create_app(platform, role=lambda: "follower"), store

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with closing(sqlite3.connect(self.database)) as database:
            names = [
                name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            return {name: sorted(database.execute(f"SELECT * FROM {name}"), key=repr) for name in names}

    @cached_property
    def _watching(self) -> sqlite3.Connection:
        return sqlite3.connect(self.database, check_same_thread=False)

    def version(self) -> int:
        """Another one after each change of the database, whatever it is."""
        return int(self._watching.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self.app.state.server.hub.close()
        if "_watching" in self.__dict__:
            self._watching.close()
        self.store.close()


def job(name: object = "hello", **more: Any) -> Json:
    """A job file that fits the region."""
    return {"name": name, "time": "1h", "run": "echo hello", "resources": {"cpus": 2, "memory": 4}} | more


def waiting(hub: Hub, topic: str) -> int:
    """How many wait for a topic."""
    return len(hub._waiting.get(topic, ()))


@contextmanager
def serving(app: FastAPI, **options: Any) -> Iterator[str]:
    """A real server in a thread; its address."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
        **options,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        app.state.server.hub.close()
        server.should_exit = True
        thread.join()
