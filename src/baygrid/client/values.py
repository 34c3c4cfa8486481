"""What the client answers: frozen values, made of the API's JSON. Times are aware, money is exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

from baygrid.client.display import Listing, Shown
from baygrid.client.wire import FINAL_STATES
from baygrid.core.units import Money

Doc = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt(Shown):
    """One try of a job at a centre. `accelerators`: all of its nodes' together, such as "H100:8"."""

    COLUMNS: ClassVar = ("id", "state", "centre", "partition", "offer", "started_at", "ended_at", "cost")
    id: str
    number: int
    state: str
    centre: str
    partition: str
    offer: str
    nodes: tuple[str, ...]
    placed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    cause: str | None
    detail: str
    accelerators: str | None
    cost: Money

    @classmethod
    def of(cls, doc: Doc) -> Attempt:
        return cls(
            doc["id"], doc["n"], doc["state"], doc["centre"], doc["partition"], doc["offer"],
            tuple(doc["nodes"]), at(doc["placed_at"]), maybe_at(doc["started_at"]), maybe_at(doc["ended_at"]),
            doc["exit_code"], doc["cause"], doc["detail"], doc["accelerators"], money(doc["cost_so_far"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate(Shown):
    """A place that was considered. `verdict`: chosen, possible, busy or no; `reasons` say why."""

    COLUMNS: ClassVar = ("centre", "partition", "offer", "verdict", "wait", "cost", "reasons")
    centre: str
    partition: str | None
    offer: str | None
    accelerator: str | None
    verdict: str
    wait: timedelta | None
    start: datetime | None
    cost: Money | None
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, doc: Doc) -> Candidate:
        wait = doc["wait_s"]
        return cls(
            doc["centre"], doc["partition"], doc["offer"], doc["accelerator"], doc["verdict"],
            None if wait is None else timedelta(seconds=wait), maybe_at(doc["start"]),
            money(doc["cost"]) if doc["cost"] else None, tuple(reason["text"] for reason in doc["reasons"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation(Shown):
    """Why there, or why not yet: one sentence, and every place that was considered."""

    COLUMNS: ClassVar = ("subject", "outcome", "text")
    subject: str
    outcome: str
    text: str
    candidates: Listing[Candidate]

    @classmethod
    def of(cls, doc: Doc) -> Explanation:
        candidates = Listing(map(Candidate.of, doc["candidates"]))
        return cls(doc["subject"], doc["outcome"], doc["text"], candidates)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Job(Shown):
    """A job as it stood when it was asked for. Out of a list it has its last attempt only, and neither
    `spec` nor `why`. `held` waits for its end, `charged` is paid; `why`: why it is where it is."""

    COLUMNS: ClassVar = ("id", "name", "project", "state", "centre", "submitted_at", "charged")
    id: str
    name: str
    project: str
    state: str
    submitted_at: datetime
    ended_at: datetime | None
    cause: str | None
    detail: str
    exit_code: int | None
    centre: str | None
    partition: str | None
    offer: str | None
    held: Money
    charged: Money
    array: str | None
    index: int | None
    attempts: Listing[Attempt]
    why: Explanation | None
    spec: Mapping[str, Any] = field(repr=False, hash=False)

    @classmethod
    def of(cls, doc: Doc) -> Job:
        why = doc.get("reasons")
        return cls(
            doc["id"], doc["name"], doc["project"], doc["state"], at(doc["submitted_at"]),
            maybe_at(doc["ended_at"]), doc["cause"], doc["detail"], doc["exit_code"], doc["centre"],
            doc["partition"], doc["offer"], money(doc["hold"]), money(doc["charge"]), doc["array"],
            doc["index"], Listing(map(Attempt.of, doc["attempts"])), Explanation.of(why) if why else None,
            doc.get("spec", {}),
        )  # fmt: skip

    @property
    def ended(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def succeeded(self) -> bool:
        return self.state == "SUCCEEDED"


@dataclass(frozen=True, slots=True)
class Array(Shown):
    """Many jobs of one file. `left`: so many have not ended; `states`: how many are in each."""

    COLUMNS: ClassVar = ("id", "name", "project", "state", "size", "left", "failed", "submitted_at")
    id: str
    name: str
    project: str
    state: str
    submitted_at: datetime
    size: int
    parallel: int
    left: int
    failed: int
    states: Mapping[str, int] = field(hash=False)

    @classmethod
    def of(cls, doc: Doc) -> Array:
        return cls(
            doc["id"], doc["name"], doc["project"], doc["state"], at(doc["submitted_at"]), doc["size"],
            doc["parallel"], doc["left"], doc["failed"], doc["states"],
        )  # fmt: skip

    @property
    def ended(self) -> bool:
        return not self.left

    @property
    def succeeded(self) -> bool:
        return self.state == "SUCCEEDED"


@dataclass(frozen=True, slots=True)
class Output(Shown):
    """What a job left behind under a name; `size` in bytes, of the tar that it travels in."""

    COLUMNS: ClassVar = ("name", "size", "sha256")
    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, doc: Doc) -> Output:
        return cls(doc["name"], doc["size"], doc["sha256"])


@dataclass(frozen=True, slots=True)
class Offer(Shown):
    """What can be had at which price: of one accelerator, one CPU, one GiB of memory, for an hour."""

    COLUMNS: ClassVar = (
        "id", "centre", "partition", "accelerator", "currency", "accelerator_hour", "cpu_hour", "gib_hour",
    )  # fmt: skip
    id: str
    centre: str
    partition: str
    accelerator: str | None
    currency: str
    accelerator_hour: Decimal
    cpu_hour: Decimal
    gib_hour: Decimal
    reachable: bool
    state: str

    @classmethod
    def of(cls, doc: Doc) -> Offer:
        return cls(
            doc["id"], doc["centre"], doc["partition"], doc["accelerator"], doc["currency"],
            Decimal(doc["accelerator_hour"]), Decimal(doc["cpu_hour"]), Decimal(doc["gib_hour"]),
            doc["reachable"], doc["state"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BillLine(Shown):
    """quantity x rate is the amount, rounded once."""

    COLUMNS: ClassVar = ("job", "name", "centre", "item", "quantity", "unit", "rate", "amount")
    job: str
    name: str
    attempt: str
    centre: str
    offer: str
    item: str
    quantity: Fraction
    unit: str
    rate: Fraction
    amount: Money
    start: datetime
    end: datetime

    @classmethod
    def of(cls, doc: Doc) -> BillLine:
        return cls(
            doc["job"], doc["name"], doc["attempt"], doc["centre"], doc["offer"], doc["item"],
            Fraction(doc["quantity"]), doc["unit"], Fraction(doc["rate"]), money(doc["amount"]),
            at(doc["from"]), at(doc["to"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bill(Shown):
    """`supported`: what vouchers paid of it; `overrun`: what was above the holds and is not paid."""

    COLUMNS: ClassVar = ("project", "currency", "supported", "total")
    project: str
    currency: str
    supported: Money
    total: Money
    overrun: Money
    lines: Listing[BillLine]

    @classmethod
    def of(cls, doc: Doc) -> Bill:
        lines = Listing(map(BillLine.of, doc["lines"]))
        return cls(
            doc["project"], doc["currency"], money(doc["supported"]), money(doc["total"]),
            money(doc["overrun"]), lines,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table(Shown):
    """A table of the catalogue. `open`: whoever asks may have it, as far as the law lets it."""

    COLUMNS: ClassVar = ("ref", "title", "place", "format", "version", "columns", "open")
    ref: str
    title: str
    place: str
    format: str
    version: int
    columns: tuple[str, ...]
    open: bool

    @classmethod
    def of(cls, doc: Doc) -> Table:
        columns = tuple(column["name"] for column in doc["columns"])
        return cls(
            doc["ref"], doc["title"], doc["place"], doc["format"], doc["version"], columns, doc["open"]
        )


@dataclass(frozen=True, slots=True)
class SharedTable(Shown):
    """What a contract lets the project read. `name` is SHARE.SCHEMA.TABLE; `columns` None: all of them;
    `least` persons must be behind a figure where only figures are shared, None where rows are."""

    COLUMNS: ClassVar = ("name", "provider", "columns", "least", "until", "contract")
    name: str
    provider: str
    columns: tuple[str, ...] | None
    least: int | None
    until: datetime | None
    contract: str

    @classmethod
    def all_of(cls, contract: Doc) -> Iterable[SharedTable]:
        for grant in contract["grants"]:
            schema, _, table = grant["table"].partition("/")
            terms = grant["terms"]
            columns = None if terms["columns"] is None else tuple(terms["columns"])
            least = terms["k"] if terms["mode"] == "aggregate" else None
            yield cls(
                f"{contract['share']}.{schema}.{table}", contract["provider"], columns, least,
                maybe_at(contract["until"]), contract["id"],
            )  # fmt: skip


def at(instant: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(instant)


def maybe_at(instant: str | None) -> datetime | None:
    return None if instant is None else at(instant)


def money(doc: Doc) -> Money:
    return Money(doc["minor"], doc["currency"])
