"""A region that shares tables: project `demo` has real ones on disk, project `other` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

from baygrid.api.app import create_app
from baygrid.app import contract_view, contracts, gates, projects, recipients, shared_files
from baygrid.app.access import Actor
from baygrid.app.contract_terms import Wanted
from baygrid.core.data.labels import Important, Labels, Origin
from baygrid.core.data.permission import Record
from baygrid.core.data.terms import Terms
from baygrid.core.days import day_of
from baygrid.core.units import Money
from baygrid.ports.data import PartyRow, TableRow
from baygrid.ports.reader import Format, Reader, Source
from baygrid.ports.records import Role
from baygrid.ports.store import Tx
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.tables import Tables
from baygrid.wiring.waking import Bell, StepThread
from tests.api.world import World
from tests.sharing.here import Here

OPERATOR = Actor("tok-operator", Role.OPERATOR, "operator")
PROVIDER = Actor("tok-demo", Role.TEAM, "demo", project="demo")
CONSUMER = Actor("tok-other", Role.TEAM, "other", project="other")
HOSPITAL = {
    "jurisdiction": "cn",
    "city": "Shenzhen",
    "registered_in_gba9": True,
    "registered_in_hk_or_gba9": True,
    "ciio": False,
    "state_organ": False,
    "ftz_zone": "none",
    "handled_persons": 1_000,
}
LAB = {
    "jurisdiction": "hk",
    "city": "Hong Kong",
    "registered_in_gba9": False,
    "registered_in_hk_or_gba9": True,
    "on_art42_list": False,
    "is_foreign_judicial_or_enforcement": False,
}
HARMLESS = Labels(personal=False, sensitive=False, important=Important.NO, core=False)
PERSON = Labels(
    personal=True, sensitive=False, important=Important.NO, core=False, origin=Origin.DOMESTIC, subject=True
)


@dataclass
class Sharing(World):
    """Files are made while `making` is entered, or by `make`. `apart`: tables are read in processes of their
    own, as by a real server."""

    apart: bool = False
    data: Path = field(init=False)
    files: Tables = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.data = self.folder / "data"
        self.data.mkdir()
        self.files = (Tables if self.apart else Here)(self.folder / "scratch", Allowed(roots=(self.data,)))
        self.platform = replace(
            self.platform, reader=cast(Reader, self.files), link_keys=(b"a key of tests",)
        )
        self.app = create_app(self.platform, role=lambda: self.role)
        for name, facts in (("uni", HOSPITAL), ("startup", LAB)):
            self.verify(name, facts)

    def verify(self, name: str, facts: Mapping[str, Any]) -> None:
        def apply(tx: Tx) -> None:
            before = tx.catalogue.party(name)
            version = 1 if before is None else before.version + 1
            tx.catalogue.insert_party(PartyRow(name, version, facts, None, self.clock(), "tok-operator"))

        self.store.write(apply)

    def parquet(self, name: str, rows: pa.Table) -> str:
        """Written anew; its address."""
        folder = self.data / name
        folder.mkdir(exist_ok=True)
        pq.write_table(rows, folder / "part.parquet")
        return f"file://{folder}"

    def delta(self, name: str, rows: pa.Table, **options: Any) -> str:
        """A new version; its address."""
        folder = self.data / name
        write_deltalake(folder, rows, configuration={"delta.enableChangeDataFeed": "true"}, **options)
        return f"file://{folder}"

    def offer(
        self, name: str, uri: str, format: Format = Format.PARQUET, labels: Mapping[str, Labels] | None = None
    ) -> str:
        """Puts it into the catalogue, open, of harmless columns where `labels` says nothing else."""
        look = self.files.look(Source(format, uri))
        said = {column.name: (labels or {}).get(column.name, HARMLESS) for column in look.columns}

        def apply(tx: Tx) -> None:
            row = TableRow(
                "demo", name, 1, name, "CN-QH", format, uri, "", None, look.columns, said,
                "tok-demo", True, self.clock(), "tok-demo",
            )  # fmt: skip
            tx.catalogue.insert_table(row)

        self.store.write(apply)
        return f"demo/{name}"

    def share(
        self, *tables: str, share: str, terms: Terms | None = None, consumer: Actor = CONSUMER, **wanted: Any
    ) -> str:
        """The id of a contract that is final."""
        said = {"purpose": "a study", "ground": "other", **wanted}
        asked = Wanted(tables=dict.fromkeys(tables, terms or Terms()), **said)
        row = contracts.request(self.platform, consumer, asked, share=share).row
        if row.state.value != "FINALIZED":
            contracts.offer(self.platform, PROVIDER, row.id, Wanted())
            contracts.accept(self.platform, consumer, row.id)
            gates.agree(self.platform, PROVIDER, row.id)
            contracts.verify(self.platform, consumer, row.id)
            self.record_all(row.id)
            gates.finalize(self.platform, PROVIDER, row.id)
        return row.id

    def consumer(self, name: str) -> Actor:
        """Of one more project of the laboratory's."""
        projects.add_project(self.platform, OPERATOR, name, "startup", "CNY", Money(100, "CNY"))
        return Actor(f"tok-{name}", Role.TEAM, name, project=name)

    def record_all(self, id: str) -> None:
        """What the law wants before the first byte."""
        new = Record("Li Hua", day_of(self.clock()), None, "file 7")
        for due in contract_view.whole(self.platform, PROVIDER, id).dues:
            if due.obligation.first and due.record is None:
                gates.record(self.platform, PROVIDER, id, due.obligation.id, new)

    def profile(self, name: str, endpoint: str = "http://test", consumer: Actor = CONSUMER) -> dict[str, Any]:
        """Of a new recipient."""
        link = recipients.add(self.platform, consumer, None, name)
        return recipients.profile(self.platform, link.secret, f"{endpoint}/delta-sharing")

    def profile_file(self, name: str, endpoint: str) -> Path:
        path = self.folder / f"{name}.share"
        path.write_text(json.dumps(self.profile(name, endpoint)))
        return path

    def make(self) -> None:
        """All that is wanted."""
        while shared_files.make_next(self.platform, "test"):
            pass

    @contextmanager
    def making(self, makers: int = 1) -> Iterator[None]:
        """Files are made as they are wanted."""
        threads = [
            StepThread(
                "sharing",
                lambda _, n=n: shared_files.make(self.platform, f"test-{n}"),  # type: ignore[misc]
                Bell(self.store, "shares"),
                self.clock,
            )
            for n in range(makers)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.stop()
