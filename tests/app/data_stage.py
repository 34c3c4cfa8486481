"""A hospital in Qianhai, a laboratory in Hong Kong, and tables whose persons a test writes down."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from baygrid.app import contract_view, contracts, gates, projects, recipients
from baygrid.app.access import Actor
from baygrid.app.contract_terms import Wanted
from baygrid.app.contract_view import Contract
from baygrid.app.grants import Bearer
from baygrid.app.scheduler import Scheduler
from baygrid.core.data.labels import Important, Labels, Origin
from baygrid.core.data.permission import Record
from baygrid.core.data.terms import Terms
from baygrid.core.days import beginning, day_of
from baygrid.core.units import Money
from baygrid.ports.data import PartyRow, TableRow
from baygrid.ports.reader import Column, Format, Look, Source
from baygrid.ports.records import Kind
from baygrid.ports.store import Store
from tests.app.rows import MemoryReader
from tests.app.stage import OPERATOR, Stage

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
ID = Labels(
    personal=True, sensitive=False, important=Important.NO, core=False, origin=Origin.DOMESTIC, subject=True
)
NAME = replace(ID, subject=False)
ILLNESS = replace(NAME, sensitive=True)
WEATHER = Labels(personal=False, sensitive=False, important=Important.NO, core=False)
PLAIN = {"id": ID, "city": NAME}
SENSITIVE = {"id": ID, "illness": ILLNESS}
OPEN = {"day": WEATHER, "rain": WEATHER}
COLUMNS = {name: Column(name, "string") for name in ("id", "city", "illness", "day", "rain", "name")}


def person(key: bytes, value: str) -> bytes:
    return hmac.digest(key, value.encode(), hashlib.sha256)[:16]


class PersonsReader(MemoryReader):
    """Tells the persons that a test has put into a table; each time others are there, its fingerprint is
    another."""

    def __init__(self) -> None:
        super().__init__()
        self.subjects: dict[str, list[str]] = {}

    def look(self, source: Source, version: int | None = None) -> Look:
        subjects = self.subjects[source.uri]
        fingerprint = hashlib.sha256("\n".join(subjects).encode()).hexdigest()[:16]
        return Look(tuple(COLUMNS.values()), 0, fingerprint, len(subjects))

    def persons(
        self, source: Source, terms: Terms, subject: str, key: bytes, version: int | None = None
    ) -> Iterator[bytes]:
        subjects = self.subjects[source.uri]
        for at in range(0, len(subjects), 999):
            yield b"".join(person(key, each) for each in subjects[at : at + 999])


class DataStage(Stage):
    """`hospital` shares, `lab` reads. It begins on 23 November 2026, a day of which the calendar is known."""

    def __init__(self, store: Store | None = None, today: date = date(2026, 11, 23)) -> None:
        super().__init__(store)
        self.now = beginning(today) + 3_600_000
        self.persons = PersonsReader()
        self.platform = replace(self.platform, reader=self.persons)
        self.scheduler = Scheduler(self.platform, "server-1")
        self.hospital = self.join("hospital", HOSPITAL)
        self.lab = self.join("lab", LAB)

    def join(self, name: str, facts: Mapping[str, Any], pilot: Mapping[str, Any] | None = None) -> Actor:
        """An organisation with one project of the same name."""
        projects.add_organisation(self.platform, OPERATOR, name, Kind.COMPANY, name)
        projects.add_project(self.platform, OPERATOR, name, name, "CNY", Money.parse("1 CNY"))
        self.verify(name, facts, pilot)
        return self.member(name)

    def verify(self, name: str, facts: Mapping[str, Any], pilot: Mapping[str, Any] | None = None) -> None:
        def apply(tx: Any) -> None:
            before = tx.catalogue.party(name)
            version = 1 if before is None else before.version + 1
            tx.catalogue.insert_party(PartyRow(name, version, facts, pilot, self.now, "tok-operator"))

        self.store.write(apply)

    def table(
        self,
        name: str,
        persons: Sequence[str] = (),
        labels: Mapping[str, Labels] = PLAIN,
        *,
        project: str = "hospital",
        place: str = "CN-QH",
        open: bool = False,
        columns: Sequence[str] | None = None,
    ) -> str:
        """In the catalogue, or its next version there."""

        def apply(tx: Any) -> None:
            before = tx.catalogue.table(project, name)
            row = TableRow(
                project, name, 1 if before is None else before.version + 1, name, place, Format.PARQUET,
                self.uri(name), "", None, tuple(COLUMNS[it] for it in columns or labels), labels,
                "tok-hospital", open, self.now, "tok-hospital",
            )  # fmt: skip
            tx.catalogue.insert_table(row)

        self.store.write(apply)
        self.put(name, persons)
        return f"{project}/{name}"

    def uri(self, name: str) -> str:
        return f"s3://bay/{name}/"

    def put(self, name: str, persons: Sequence[str]) -> None:
        self.persons.subjects[self.uri(name)] = list(persons)

    def request(
        self, *tables: str, terms: Terms | None = None, actor: Actor | None = None, share: str | None = None,
        **wanted: Any,
    ) -> str:  # fmt: skip
        """The id of a new contract, for a study on other than special grounds."""
        said = {"purpose": "a study of waiting times", "ground": "other", **wanted}
        asked = Wanted(tables=dict.fromkeys(tables, terms or Terms()), **said)
        return contracts.request(self.platform, actor or self.lab, asked, share=share).row.id

    def agree(self, id: str, consumer: Actor | None = None) -> Contract:
        """As far as both sides can come without the law's obligations."""
        contracts.offer(self.platform, self.hospital, id, Wanted())
        contracts.accept(self.platform, consumer or self.lab, id)
        gates.agree(self.platform, self.hospital, id)
        return contracts.verify(self.platform, consumer or self.lab, id)

    def record(self, id: str, *obligations: str, day: date | None = None) -> None:
        new = Record("Li Hua", day or day_of(self.now), None, "file 7")
        for each in obligations:
            gates.record(self.platform, self.hospital, id, each, new)

    def record_all(self, id: str) -> None:
        """All that comes before the first byte."""
        dues = contract_view.whole(self.platform, self.hospital, id).dues
        self.record(id, *(it.obligation.id for it in dues if it.obligation.first and it.record is None))

    def finalize(self, id: str, consumer: Actor | None = None) -> Contract:
        """All the way."""
        self.agree(id, consumer)
        self.record_all(id)
        return gates.finalize(self.platform, self.hospital, id)

    def shared(self, *tables: str, consumer: Actor | None = None, **wanted: Any) -> str:
        """The id of a contract that is final."""
        id = self.request(*tables, actor=consumer, **wanted)
        return self.finalize(id, consumer).row.id

    def bearer(self, name: str = "anna", actor: Actor | None = None) -> Bearer:
        """Of a new recipient's token."""
        link = recipients.add(self.platform, actor or self.lab, None, name)
        made = recipients.profile(self.platform, link.secret, "http://127.0.0.1/")
        return recipients.bearer(self.platform, made["bearerToken"])

    def state(self, id: str) -> Any:
        return self.store.read(lambda tx: tx.contracts.get(id))

    def kinds(self, project: str) -> list[str]:
        """Of the events of a project."""
        from baygrid.ports.records import Cursor

        found = self.store.read(lambda tx: tx.events.after(Cursor(), 10_000, project=project))
        return [event.kind for _, event in found]
