"""The parts of the API's JSON that this client reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypedDict


class Money(TypedDict):
    minor: int
    currency: str
    text: str


class Reason(TypedDict):
    code: str
    text: str
    data: dict[str, Any]


class Candidate(TypedDict):
    name: str
    centre: str
    partition: str | None
    offer: str | None
    accelerator: str | None
    verdict: str
    wait_s: int | None
    centre_wait_s: int | None
    start: str | None
    transfer_s: int | None
    run_s: int | None
    cost: Money | None
    voucher: Money | None
    trades: list[str]
    gco2: float | None
    work: CandidateWork | None
    reasons: list[Reason]


class CandidateWork(TypedDict):
    unit: str
    per: int
    takes_s: int | None
    late: bool
    cost: Money
    price: str | None
    profile: str | None
    measured_at: str | None


class Chosen(TypedDict):
    centre: str
    partition: str
    offer: str
    cost: Money


class Explanation(TypedDict):
    subject: str
    outcome: str
    chosen: Chosen | None
    text: str
    facts: dict[str, Any]
    candidates: list[Candidate]


class Attempt(TypedDict):
    id: str
    n: int
    centre: str
    partition: str
    offer: str
    nodes: list[str]
    count: int
    state: str
    raw: str
    placed_at: str
    expected_at: str | None
    started_at: str | None
    ended_at: str | None
    exit_code: int | None
    cause: str | None
    detail: str
    log_size: int
    staged_bytes: int
    staging_bytes: int | None
    outputs: dict[str, str]
    not_charged: str | None
    cost_so_far: Money
    accelerators: str | None


class Job(TypedDict):
    """In lists without `spec` and `reasons`, and with the last attempt only."""

    id: str
    project: str
    name: str
    state: str
    submitted_at: str
    ended_at: str | None
    cause: str | None
    detail: str
    exit_code: int | None
    hold: Money
    charge: Money
    overrun: Money
    supported: Money
    spec: dict[str, Any]
    centre: str | None
    partition: str | None
    offer: str | None
    array: str | None
    index: int | None
    queue: str
    priority: str
    waits_for: list[str]
    not_before: str | None
    reasons: Explanation | None
    attempts: list[Attempt]


class Submitted(TypedDict):
    """What a batch answers for each of its jobs; a single job or array is answered in full."""

    id: str
    name: str
    state: str


class Array(TypedDict):
    id: str
    project: str
    name: str
    state: str
    submitted_at: str
    size: int
    parallel: int
    left: int
    failed: int
    states: dict[str, int]
    waits_for: list[str]


class Event(TypedDict):
    cursor: str
    at: str
    kind: str
    project: str | None
    job: str | None
    attempt: str | None
    centre: str | None
    data: dict[str, Any]


ARRAY: Final = "array-"
"""How the id of an array begins."""
FINAL_STATES = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
FINAL_EVENTS = frozenset({"job-succeeded", "job-failed", "job-cancelled"})


def money(value: Mapping[str, Any] | None) -> str:
    """The server's own text of an amount."""
    return str(value["text"]) if value else ""


def tally(array: Array) -> str:
    """How its elements stand: 3 ACTIVE, 17 HELD of 20."""
    counts = [f"{count:,} {state}" for state, count in array["states"].items() if count]
    return f"{', '.join(counts)} of {array['size']:,}"


def seconds(instant: str) -> float:
    """Seconds since 1970 of a time as the API writes it."""
    return datetime.fromisoformat(instant).timestamp()


def count(number: int, what: str) -> str:
    """1 file, 2 files."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def size(amount: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError("unreachable")
