"""May this contract be read at this instant? Asked again for every read, of values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from baygrid.core.data.contracts import State, Suspension
from baygrid.core.days import day_of
from baygrid.core.reading import format_instant
from baygrid.core.reasons import Reason

PASSING: Final = frozenset({"FREE", "EXEMPT", "PRESCRIBED_CONSENT", "CONDITION"})
"""Outcomes of the law that let data be read once their obligations are met."""
BY_CONTRACT: Final = "STANDARD_CONTRACT_OR_CERTIFICATION"
BY_ASSESSMENT: Final = "SECURITY_ASSESSMENT"


@dataclass(frozen=True, slots=True)
class Obligation:
    """What the law asks for. `first`: before the first byte; else until the end of the day `due` (None: at
    some time). `years`: so long what was recorded of it holds."""

    id: str
    says: str
    article: str
    first: bool
    due: date | None = None
    years: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "says": self.says,
            "article": self.article,
            "first": self.first,
            "due": None if self.due is None else self.due.isoformat(),
            "years": self.years,
        }


@dataclass(frozen=True, slots=True)
class Decided:
    """What the law says on a day. `options`: routes of which one must be taken, with the obligations of the
    one that was chosen."""

    outcome: str
    options: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """That an obligation was met: by whom, on which day, and where it is written (`sha256` of a document, or
    a reference)."""

    by: str
    day: date
    sha256: str | None
    reference: str | None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "by": self.by,
            "day": self.day.isoformat(),
            "sha256": self.sha256,
            "reference": self.reference,
            "note": self.note,
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Record:
        day = date.fromisoformat(document["day"])
        return cls(document["by"], day, document["sha256"], document["reference"], document["note"])


@dataclass(frozen=True, slots=True)
class Pilot:
    """A pilot institution serves from `start` to before `until`, within its `scope`."""

    start: int
    until: int
    scope: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A contract as it is now. `until` None: without end; instants in milliseconds since 1970, UTC."""

    state: State
    suspensions: tuple[Suspension, ...]
    start: int
    until: int | None
    choice: str | None
    records: Mapping[str, Record]
    scope: str | None = None
    pilot: Pilot | None = None


def permitted(it: Standing, law: Decided, now: int) -> Reason | None:
    """None: it may be read. Else why not; where the law is in the way, with the article."""
    return unreadable(it, now) or unlawful(law, it.choice, it.records, day_of(now))


def unreadable(it: Standing, now: int) -> Reason | None:
    """What is in the way whatever the law says."""
    if it.state is not State.FINALIZED:
        return Reason("contract-not-finalized", f"the contract is {it.state.value}, not FINALIZED")
    for each in it.suspensions:
        text = f"the {each.side.value} has suspended the contract: {each.reason}"
        return Reason("contract-suspended", text, {"by": each.side.value, "code": each.code})
    if now < it.start:
        return Reason("contract-not-begun", f"the contract begins at {format_instant(it.start)}")
    if it.until is not None and now >= it.until:
        return Reason("contract-expired", f"the contract ended at {format_instant(it.until)}")
    return None if it.pilot is None else outside(it.pilot, it.scope, now)


def outside(pilot: Pilot, scope: str | None, now: int) -> Reason | None:
    """Why a pilot institution may not serve this now."""
    if now < pilot.start:
        return Reason("pilot-not-begun", f"the pilot begins at {format_instant(pilot.start)}")
    if now >= pilot.until:
        return Reason("pilot-ended", f"the pilot ended at {format_instant(pilot.until)}")
    if scope not in pilot.scope:
        scopes = ", ".join(pilot.scope)
        return Reason(
            "pilot-out-of-scope", f"the pilot is for {scopes}; the contract names {scope or 'none'}"
        )
    return None


def unlawful(law: Decided, choice: str | None, records: Mapping[str, Record], today: date) -> Reason | None:
    """What the law has against it on this day, with what is recorded."""
    return undecided(law, choice) or next(
        (found for it in law.obligations if (found := unmet(it, records.get(it.id), today)) is not None),
        None,
    )


def undecided(law: Decided, choice: str | None) -> Reason | None:
    """Why the law's answer lets nobody agree, whatever is recorded: prohibited, a fact is missing, a route is
    not open."""
    basis = ", ".join(law.basis)
    if law.outcome == "PROHIBITED":
        return Reason("law-prohibits", f"the law prohibits it: {basis}", {"basis": law.basis})
    if law.outcome == "NEEDS_FACT":
        asked = ", ".join(law.missing)
        return Reason("law-needs-fact", f"the law cannot decide without: {asked}", {"missing": law.missing})
    if law.outcome == BY_CONTRACT:
        routes = ", ".join(law.options)
        if choice is None:
            text = f"{basis} asks for one of these routes, and none is chosen: {routes}"
            return Reason("law-route-not-chosen", text, {"options": law.options, "basis": law.basis})
        if choice not in law.options:
            text = f"{basis} does not let it go by {choice}: open are {routes}"
            return Reason("law-route-closed", text, {"options": law.options, "basis": law.basis})
        return None
    if law.outcome == BY_ASSESSMENT:
        if any(it.first for it in law.obligations):
            return None
        return Reason("law-not-loaded", f"{basis} asks for an assessment, of which nothing more is loaded")
    if law.outcome not in PASSING:
        return Reason("law-not-loaded", f"the law is not loaded: {basis or law.outcome}")
    return None


def unmet(it: Obligation, record: Record | None, today: date) -> Reason | None:
    """Why this obligation is in the way of reading today."""
    data, says = {"obligation": it.id, "article": it.article}, it.says.rstrip(".")
    if record is None:
        if it.first:
            text = f"{it.article}: {says}, before the first byte; nobody has recorded it"
            return Reason("obligation-open", text, data)
        if it.due is not None and today > it.due:
            text = f"{it.article}: {says}, by {it.due}; nobody has recorded it"
            return Reason("obligation-overdue", text, data)
        return None
    end = lasts_until(it, record)
    if end is not None and today >= end:
        return Reason("obligation-lapsed", f"{it.article}: {says}; it held until {end}", data)
    return None


def lasts_until(it: Obligation, record: Record) -> date | None:
    """The day on which what was recorded holds no more; None: it does not end."""
    return None if it.years is None else _years_after(record.day, it.years)


def _years_after(day: date, years: int) -> date:
    """29 February has no namesake in most years: the day after 28 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
