"""Rows to write, and what the tests put in the store's way."""

import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from baygrid.core.data import contracts
from baygrid.core.data.contracts import Side, State
from baygrid.core.data.labels import Important, Labels, Origin
from baygrid.core.data.terms import Terms
from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.pricing.allocations import Allocation, Source
from baygrid.core.pricing.applications import ApplicationState, Step
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.postings import Posting, Transaction
from baygrid.core.pricing.rates import ExchangeRate, Rate, RateKind
from baygrid.core.pricing.tariff import Tariff
from baygrid.core.rating.value import Plan, Rating
from baygrid.core.region.bodies import Body, Return
from baygrid.core.region.bodies import Kind as RegistryKind
from baygrid.core.region.bodies import Record as RegistryRecord
from baygrid.core.units import Money
from baygrid.ports.accounts import AllocationRow, ApplicationRow, StepRow
from baygrid.ports.contracts import ContractRow, ContractStep, CountRow, ExporterRow, GrantRow
from baygrid.ports.data import PartyRow, TableRow
from baygrid.ports.messages import Outside, SignedOutside, SignedRating, SignedUsage, Usage
from baygrid.ports.papers import ExchangeRateRow, PaperKind, PaperRow, Party, PaymentRow, RateRow
from baygrid.ports.reader import Column, Format
from baygrid.ports.records import (
    AttemptRecord,
    CentreRecord,
    DatasetRecord,
    Event,
    JobRecord,
    Kind,
    Offer,
    Organisation,
    PlanRow,
    PolicyRecord,
    Project,
    RatingRow,
    StoredAnswer,
)
from baygrid.ports.registry import Change, ChangeRow, ImportRow, ZonesRow
from baygrid.ports.store import Store, Tx
from baygrid.ports.usage import ChargeRow, OutsideRow, UsageRow


class Crash(BaseException):
    """What the simulation raises where a process dies."""


class Failpoints:
    """Counts the places that were passed and does what it was told there."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self._actions: dict[str, Callable[[], None]] = {}

    def __call__(self, name: str) -> None:
        self.passed.append(name)
        self._actions.get(name, lambda: None)()

    def at(self, name: str, action: Callable[[], None]) -> None:
        self._actions[name] = action

    def crash_at(self, name: str) -> None:
        def crash() -> None:
            raise Crash(name)

        self.at(name, crash)

    def clear(self) -> None:
        self._actions.clear()


class Heard:
    """A listener that remembers, and on which a test can wait."""

    def __init__(self, store: Store) -> None:
        self._changed = threading.Condition()
        self.calls: list[frozenset[str]] = []
        store.subscribe(self)

    def __call__(self, topics: frozenset[str]) -> None:
        with self._changed:
            self.calls.append(topics)
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self.calls.clear()

    def wait_for(self, *topics: str) -> None:
        """Returns when one call has named all of them since the last clear."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: any(set(topics) <= call for call in self.calls), timeout=20
            ), self.calls


def organise(tx: Tx, granted: int = 10**9) -> None:
    """An organisation, two projects and two centres."""
    tx.region.insert_organisation(Organisation("lab", Kind.UNIVERSITY, "The lab"))
    tx.region.insert_project(Project("demo", "lab", "CNY", granted))
    tx.region.insert_project(Project("other", "lab", "HKD", granted))
    tx.region.insert_centre(CentreRecord("north", "CN", "slurm"))
    tx.region.insert_centre(CentreRecord("south", "HK", "local"))


def data_contract(**fields: Any) -> ContractRow:
    given: dict[str, Any] = {
        "id": "contract-1",
        "version": 0,
        "share": "clinic",
        "nth": 0,
        "provider": "demo",
        "consumer": "other",
        "exporter": "lab",
        "purpose": "a study of ages 年龄",
        "ground": "other",
        "choice": None,
        "onward": False,
        "scope": "clinical studies",
        "facts": {"sector": "healthcare"},
        "start": 100,
        "until": 900,
        "state": State.REQUESTED,
        "made_at": 5,
        "made_by": "tok-1",
    } | fields
    return ContractRow(**given)


def contract_of_data(tx: Tx) -> None:
    """One of each table of contracts about data; `organise` comes first."""
    tx.contracts.insert(data_contract(), [GrantRow("grant-1", "contract-1", "demo", "visits", Terms())])
    side = Side.CONSUMER
    tx.contracts.append_step(ContractStep("contract-1", 0, 5, contracts.Step.REQUEST, side, "tok-1", {}))
    tx.persons.insert_exporter(ExporterRow("lab", "sealed", 0))
    tx.persons.insert_count(CountRow("lab", 1, 0, 5, 10, 1))


def job(number: int | str, **fields: Any) -> JobRecord:
    id = number if isinstance(number, str) else f"job-{number:06d}"
    given: dict[str, Any] = {
        "project": "demo",
        "name": "images",
        "state": JobState.QUEUED,
        "spec": {"run": "python label.py", "envs": {"BATCH": "64"}, "nodes": 1},
        "submitted_at": 1_700_000_000_000,
        "submitted_by": "tok-1",
        "currency": "CNY",
        "hold": 500,
    } | fields
    return JobRecord(id=id, **given)


def attempt(number: int, **fields: Any) -> AttemptRecord:
    given: dict[str, Any] = {
        "job": f"job-{number:06d}",
        "project": "demo",
        "n": 0,
        "token": f"token-{number}",
        "centre": "north",
        "partition": "gpu",
        "offer": "north/gpu/H100",
        "nodes": ("n1", "n2"),
        "count": 2,
        "cpus": 8,
        "memory_mib": 65536,
        "accelerator": "H100",
        "accelerators": 8,
        "grace_s": 60,
        "placed_at": 1_700_000_000_000,
        "reasons": {"chosen": [{"what": "cheapest", "rate": 1}]},
    } | fields
    return AttemptRecord(id=f"att-{number:06d}", **given)


def usage(attempt: str = "att-000001", n: int = 0, **fields: Any) -> UsageRow:
    given: dict[str, Any] = {
        "centre": "north",
        "project": "demo",
        "job": "job-000001",
        "stored_at": 1000,
    } | fields
    signed = SignedUsage(Usage(attempt, n, 10, 20, 2, 8, 65536, "H100", 8, 1234.567, 4096), "ab" * 64)
    return UsageRow(public_key="cd" * 32, signed=signed, **given)


def charge(attempt: str = "att-000001", n: int = 0, **fields: Any) -> ChargeRow:
    given: dict[str, Any] = {
        "job": "job-000001",
        "project": "demo",
        "centre": "north",
        "offer": "north/gpu/H100",
        "at": 1000,
        "currency": "CNY",
        "lines": ({"what": "accelerators", "amount": 90, "rate": "1/3"},),
        "amount": 90,
        "overrun": 0,
        "transaction": "led-1",
    } | fields
    return ChargeRow(attempt, n, **given)


def booking(number: int, amount: int = 90, **fields: Any) -> Transaction:
    given: dict[str, Any] = {
        "key": f"charge:att-{number}:0",
        "at": 1000,
        "narration": "an hour of H100",
        "postings": (
            Posting("projects:demo", Money(amount, "CNY")),
            Posting("centres:north", Money(1 - amount, "CNY")),
            Posting("platform", Money(-1, "CNY")),
        ),
        "sources": (f"usage:att-{number}:0",),
    } | fields
    return Transaction(id=f"led-{number:06d}", **given)


def event(number: int = 1, **fields: Any) -> Event:
    given: dict[str, Any] = {
        "project": "demo",
        "job": f"job-{number:06d}",
        "kind": "job.submitted",
        "data": {"number": number},
    } | fields
    return Event(at=1000 + number, **given)


def answer(key: str = "k1", **fields: Any) -> StoredAnswer:
    given: dict[str, Any] = {
        "project": "demo",
        "body_sha256": "0" * 64,
        "status": 201,
        "body": "{}",
        "at": 5,
    } | fields
    return StoredAnswer(key=key, **given)


def tariff(valid_from: int = 0, hour: str = "25") -> Tariff:
    return Tariff(valid_from, "CNY", Fraction(hour), Fraction(1, 3), Fraction("0.05"))


def offer(id: str = "north/gpu/H100", **fields: Any) -> Offer:
    given: dict[str, Any] = {
        "centre": "north",
        "partition": "gpu",
        "accelerator": "H100",
        "currency": "CNY",
        "tariffs": (tariff(),),
    } | fields
    return Offer(id, **given)


def dataset(version: int = 1, name: str = "photos", **fields: Any) -> DatasetRecord:
    given: dict[str, Any] = {
        "project": "demo",
        "jurisdiction": "CN-QH",
        "uri": "s3://photos/2026/",
        "sha256": "0" * 64,
        "bytes": 1 << 40,
        "shared": False,
        "made_at": 900,
        "made_by": "tok-team",
    } | fields
    return DatasetRecord(name=name, version=version, **given)


def outside(id: str = "17", end: int = 7_200_000, **fields: Any) -> OutsideRow:
    given: dict[str, Any] = {
        "account": "chen",
        "partition": "gpu",
        "start": 0,
        "nodes": 2,
        "cpus": 16,
        "memory_mib": 131_072,
        "accelerators": {"H100": 8, "A100": 4},
    } | fields
    return OutsideRow("north", "cd" * 32, SignedOutside(Outside(id, end=end, **given), "ab" * 64), 1000)


def rated(rating: Rating) -> RatingRow:
    return RatingRow("cd" * 32, SignedRating(rating, "ab" * 64), 1000)


def plan(centre: str = "north") -> PlanRow:
    return PlanRow(Plan(centre, {"images": 1.6e9}, 5e17, "on completion"), 1000, "tok-operator")


def policy(number: int, valid_from: int = 1000, **document: Any) -> PolicyRecord:
    return PolicyRecord(f"policy-{number:06d}", valid_from, 900, "tok-operator", document)


def paper(place: int, **fields: Any) -> PaperRow:
    given: dict[str, Any] = {
        "kind": PaperKind.INVOICE,
        "month": "2026-11",
        "subject": "demo",
        "currency": "CNY",
        "issued_at": 1_796_054_700_000,
        "total": 1_677_721_701,
        "sha256": "ab" * 32,
        "document": '{"total":"16777217.01 CNY"}',
    } | fields
    return PaperRow(number=f"{given['month']}-{place:04d}", **given)


def payment(reference: str = "B-1", **fields: Any) -> PaymentRow:
    given: dict[str, Any] = {
        "party": Party.PROJECT,
        "subject": "demo",
        "number": None,
        "amount": 1_677_721_701,
        "currency": "CNY",
        "at": 1000,
        "booked_by": "tok-operator",
    } | fields
    return PaymentRow(reference=reference, **given)


def tax(rate: str = "0.06", since: str = "2026-11", kind: RateKind = RateKind.TAX) -> RateRow:
    return RateRow(Rate(kind, "VAT", Fraction(rate), Month.parse(since), "a notice"), 900, "tok-operator")


def exchange_rate(rate: str = "1.0870", day: str = "2026-11-30") -> ExchangeRateRow:
    told = ExchangeRate("CNY", "HKD", Fraction(rate), date.fromisoformat(day), "a bank")
    return ExchangeRateRow(told, 900, "tok-operator")


def allocation(id: str = "allocation-1", **fields: Any) -> AllocationRow:
    given: dict[str, Any] = {
        "project": "demo",
        "source": Source.GRANT,
        "amount": Money(100, "CNY"),
        "start": 1000,
        "end": 2000,
        "purpose": "training",
    } | fields
    return AllocationRow(Allocation(id, **given), 900, "tok-operator", True, given["end"])


def application(id: str = "application-1", **fields: Any) -> ApplicationRow:
    given: dict[str, Any] = {
        "project": "demo",
        "currency": "CNY",
        "state": ApplicationState.REQUESTED,
        "amount": 100,
        "start": 1000,
        "end": 2000,
        "purpose": "training",
    } | fields
    return ApplicationRow(id, **given)


def step(n: int, application: str = "application-1") -> StepRow:
    return StepRow(application, n, Step.REQUEST, 1000 + n, "tok-team", 100, "training")


def party(organisation: str = "acme", version: int = 1, **change: Any) -> PartyRow:
    facts = {"jurisdiction": "CN", "city": "深圳", "ciio": False}
    given = {"facts": facts, "pilot": None, "made_at": 5, "made_by": "tok-1"} | change
    return PartyRow(organisation, version, **given)


def data_table(project: str = "demo", name: str = "patients", version: int = 1, **change: Any) -> TableRow:
    name_column = Labels(True, False, Important.NO, False, Origin.DOMESTIC, subject=True)
    given: dict[str, Any] = {
        "title": "Patients 病人",
        "place": "CN-QH",
        "format": Format.POSTGRESQL,
        "uri": "postgresql://127.0.0.1:5432/clinic",
        "table": "public.patients",
        "secret": "CLINIC",
        "columns": (Column("姓名", "string", nullable=False), Column("age", "int32")),
        "labels": {"姓名": name_column},
        "confirmed_by": "Chan Tai Man",
        "open": False,
        "made_at": 5,
        "made_by": "tok-1",
    } | change
    return TableRow(project, name, version, **given)


def registered(tx: Tx) -> None:
    """A body of the registry with its history, a figure, zones and an import."""
    body = Body("deep", RegistryKind.COMPANY, None, "", {"en": "Deep Blue"})
    figure = ("deep", "ai_companies", "qianhai", "2023", "revenue", Decimal(1), "CNY", "us", date(2024, 1, 1))
    tx.registry.log([ChangeRow("deep", 1, Change.IMPORT, 1, "import-1", "", "", {}, RegistryRecord(body))])
    tx.registry.insert_returns([Return(*figure)], 1, "import-1")
    tx.registry.insert_zones(ZonesRow(1, {}, 1, "tok-1"))
    tx.registry.insert_import(ImportRow("import-1", 1, "tok-1", {}, {}))
