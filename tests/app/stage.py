"""A small region on a real store in memory, with a clock that only tests move and centres that tests speak
for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from baygrid.app import centres, jobs, offers, projects, submit, sync
from baygrid.app.access import Actor
from baygrid.app.catalogue import Catalogue
from baygrid.app.changes import Changes
from baygrid.app.once import Once
from baygrid.app.platform import Platform
from baygrid.app.scheduler import Scheduler
from baygrid.centres.keys import Key
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.placement.links import Sample
from baygrid.core.units import Money
from baygrid.ports.messages import (
    AttemptReport,
    Desired,
    DriverReport,
    Forecast,
    NodeReport,
    Order,
    Outside,
    PartitionReport,
    Report,
    ReportAnswer,
    SignedOutside,
    SignedUsage,
    Usage,
)
from baygrid.ports.records import Kind, Role
from baygrid.ports.store import Store, Tx
from baygrid.ports.wire import inventory_digest, outside_bytes, usage_bytes
from baygrid.store import open_store
from baygrid.store.vault import AesVault
from tests.app.rows import MemoryReader

OPERATOR = Actor("tok-operator", Role.OPERATOR, "operator")
START = 1_800_000_000_000
HOUR = 3_600_000


class MemoryObjects:
    """`ports.basics.ObjectStore`."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def put(self, key: str, chunks: Iterator[bytes]) -> int:
        self._data[key] = b"".join(chunks)
        return len(self._data[key])

    def get(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        end = None if length is None else offset + length
        return iter([self._data[key][offset:end]])

    def size(self, key: str) -> int | None:
        return len(self._data[key]) if key in self._data else None

    def delete(self, key: str) -> None:
        self._data.pop(key, None)


class MemoryUploads:
    """`ports.basics.Uploads`."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def size(self, key: str) -> int:
        return len(self._data.get(key, b""))

    def append(self, key: str, offset: int, chunks: Iterator[bytes], limit: int) -> int:
        self._data[key] = self._data.get(key, b"")[:offset] + b"".join(chunks)
        if len(self._data[key]) > limit:
            raise ValueError(f"more than {limit} bytes")
        return len(self._data[key])

    def read(self, key: str) -> Iterator[bytes]:
        return iter([self._data[key]])

    def drop(self, key: str) -> None:
        self._data.pop(key, None)


class CountingIds:
    """Identifiers in the order in which they were made, the same in every run."""

    def __init__(self, server: str = "") -> None:
        self._count = 0
        self._server = server

    def new(self, kind: str, now: int) -> str:
        self._count += 1
        return f"{kind}-{self._server}{self._count:08d}"

    def earliest(self, kind: str, at: int) -> str:
        return f"{kind}-"  # the count says nothing of time

    def secret(self) -> str:
        return self.new("secret", 0)


@dataclass
class Site:
    """A centre that a test speaks for, message by message."""

    stage: Stage
    name: str
    nodes: tuple[NodeReport, ...]
    key: Key = field(default_factory=Key.new)
    incarnation: int = 1
    seq: int = 0
    driver: DriverReport | None = None

    @property
    def actor(self) -> Actor:
        return Actor(f"tok-{self.name}", Role.CENTRE, self.name, centre=self.name)

    def report(
        self,
        *attempts: AttemptReport,
        seq: int | None = None,
        waits: tuple[Forecast, ...] = (),
        links: tuple[Sample, ...] = (),
        outside: tuple[SignedOutside, ...] = (),
    ) -> ReportAnswer:
        if seq is None:
            seq = self.seq = self.seq + 1
        inventory = (PartitionReport("main", self.nodes),)
        return sync.take_report(
            self.stage.platform,
            self.actor,
            Report(
                version=1,
                incarnation=self.incarnation,
                seq=seq,
                ack=0,
                now=self.stage.now,
                inventory_digest=inventory_digest(inventory, self.driver),
                inventory=inventory,
                public_key=self.key.public_key,
                attempts=attempts,
                driver=self.driver,
                waits=waits,
                links=links,
                outside=outside,
            ),
        )

    def desired(self, after: int = 0) -> Desired:
        found = sync.desired(self.stage.platform, self.actor, self.incarnation, after)
        return found or Desired(after, (), ())

    def saw(self, job: Outside) -> SignedOutside:
        return SignedOutside(job, self.key.sign(outside_bytes(job)))

    def usage(self, order: Order, start: int, end: int, n: int = 0, egress_bytes: int = 0) -> SignedUsage:
        usage = Usage(
            attempt=order.attempt,
            n=n,
            start=start,
            end=end,
            nodes=order.count,
            cpus=order.cpus,
            memory_mib=order.memory_mib,
            accelerator=order.accelerator,
            accelerators=order.accelerators,
            cpu_seconds=1.0,
            peak_memory_mib=10,
            egress_bytes=egress_bytes,
        )
        return SignedUsage(usage, self.key.sign(usage_bytes(usage)))

    def says(
        self, order: Order, state: AttemptState, seconds: int = 60, cause: str | None = None
    ) -> AttemptReport:
        """That this attempt is in `state`; a final one ran for so many seconds until now."""
        started = self.stage.now - seconds * 1000
        ran = state.final and state is not AttemptState.LOST
        return AttemptReport(
            attempt=order.attempt,
            token=order.token,
            state=state,
            exit_code={AttemptState.SUCCEEDED: 0, AttemptState.FAILED: 1}.get(state),
            cause=cause or ("exit-code" if state is AttemptState.FAILED else None),
            started_at=started if ran or state is AttemptState.RUNNING else None,
            ended_at=self.stage.now if state.final else None,
            usage=(self.usage(order, started, self.stage.now),) if ran else (),
        )


class Stage:
    """One project, `demo`, with so much money, and no centre yet."""

    def __init__(self, store: Store | None = None, funds: str = "1000 CNY") -> None:
        self.now = START
        self.store = store or open_store("sqlite://")
        self.reader = MemoryReader()
        self.platform = Platform(
            self.store,
            MemoryObjects(),
            MemoryUploads(),
            lambda: self.now,
            CountingIds(),
            Catalogue(),
            ("local", "queueing", "slurm"),
            vault=AesVault([b"a key of tests, 32 bytes long..."]),
            signer=Key(b"a signing key of tests, of 32 b."),
            reader=self.reader,
        )
        self.scheduler = Scheduler(self.platform, "server-1")
        self.team = Actor("tok-team", Role.TEAM, "team", project="demo")
        projects.add_organisation(self.platform, OPERATOR, "acme", Kind.COMPANY, "Acme")
        projects.add_project(self.platform, OPERATOR, "demo", "acme", "CNY", Money.parse(funds))

    def add_site(
        self,
        name: str,
        *,
        cpu_hour: str = "1",
        cpus: int = 8,
        jurisdiction: str = "CN-QH",
        nodes: int = 1,
        driver: str = "local",
        rates: offers.Rates | None = None,
    ) -> Site:
        """A centre with `nodes` nodes of so many cpus and 64 GiB, that has reported once."""
        centres.add_centre(self.platform, OPERATOR, name, jurisdiction, driver)
        offers.add_offer(
            self.platform,
            OPERATOR,
            id=None,
            centre=name,
            partition="main",
            accelerator=None,
            currency="CNY",
            rates=rates or offers.Rates(cpu_hour=cpu_hour),
            valid_from=None,
        )
        site = Site(self, name, tuple(NodeReport(f"{name}-{i}", cpus, 65_536) for i in range(nodes)))
        site.report()
        return site

    def add_project(self, name: str, organisation: str = "acme", funds: str = "1000 CNY") -> Actor:
        """Somebody who works in a new project."""
        projects.add_project(self.platform, OPERATOR, name, organisation, "CNY", Money.parse(funds))
        return self.member(name)

    def member(self, project: str) -> Actor:
        return Actor(f"tok-{project}", Role.TEAM, project, project=project)

    def submit(
        self, *documents: Mapping[str, object], key: str | None = None, actor: Actor | None = None
    ) -> list[str]:
        """Ids of the new jobs; what a document leaves out is a plain job of one hour."""
        whole = [{"name": "job", "run": "true", "time": "1h", **document} for document in documents or ({},)]
        done = submit.submit(
            self.platform,
            actor or self.team,
            whole,
            project=None,
            once=None if key is None else Once(key, str(whole)),
            render=lambda records: ",".join(record.id for record in records),
        )
        return done.answer.body.split(",")

    def preempt(self, *attempts: str) -> None:
        """As the leader does it in its commit."""

        def apply(tx: Tx) -> None:
            changes = Changes()
            jobs.preempt(tx, changes, {one: {"code": "test"} for one in attempts}, self.now, 1)
            changes.apply(tx)

        self.store.write(apply)

    def schedule(self) -> None:
        """Steps until the scheduler has nothing more to do now."""
        for _ in range(10):
            if self.scheduler.step(self.now) > self.now:
                return
        raise AssertionError("the scheduler does not come to rest")

    def pass_time(self, ms: int) -> None:
        self.now += ms
