"""What a decision table comes to, with every rule that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from baygrid.core.law.conditions import Facts, Truth
from baygrid.core.law.tables import Clock

NEEDS_FACT: Final = "NEEDS_FACT"
FIRST_BYTE: Final = "before_first_byte"
ALONG: Final = "while_it_runs"
BY_A_CLOCK: Final = "by_a_clock"


@dataclass(frozen=True, slots=True)
class Duty:
    """An obligation of one decision. `option`: it goes with that way, "" whatever way is chosen. `number` is
    of the clock."""

    id: str
    what: str
    by: str
    basis: tuple[str, ...]
    first_byte: bool
    clock: Clock | None
    number: int | None
    option: str

    def to_json(self) -> dict[str, Any]:
        clock = self.clock and {
            "number": self.number,
            "unit": self.clock.unit,
            "calendar": self.clock.calendar or None,
            "before" if self.clock.before else "after": self.clock.since,
        }
        when = FIRST_BYTE if self.first_byte else BY_A_CLOCK if clock else ALONG
        return {
            "id": self.id,
            "what": self.what,
            "by": self.by,
            "basis": [*self.basis],
            "when": when,
            "clock": clock,
            "option": self.option or None,
        }


@dataclass(frozen=True, slots=True)
class Against:
    """A number of the law or a list, on one day, and where it is from."""

    name: str
    value: int | str
    reference: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule or an option on one day: its sentence, its articles, what it reads and compares with."""

    id: str
    says: str
    basis: tuple[str, ...]
    reads: tuple[str, ...]
    against: tuple[Against, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """One line of a trace: `held` None where it depends on what is unknown."""

    asked: Asked
    held: Truth

    def to_json(self, facts: Facts) -> dict[str, Any]:
        asked = self.asked
        return {
            "rule": asked.id,
            "says": asked.says,
            "held": self.held,
            "read": {name: facts.get(name) for name in asked.reads},
            "against": {it.name: {"value": it.value, "reference": it.reference} for it in asked.against}
            if asked.against
            else {},
            "basis": [*asked.basis],
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What a table comes to on a day. `options` may be chosen freely, those in `review` if a person signs;
    `refused`: why the choice that was made is none; `rule` is "" of NEEDS_FACT. `trace`: every rule that was
    looked at, in order, then the options."""

    table: str
    as_of: date
    outcome: str
    rule: str
    basis: tuple[str, ...]
    options: tuple[str, ...]
    review: tuple[str, ...]
    missing: tuple[str, ...]
    obligations: tuple[Duty, ...]
    notes: tuple[str, ...]
    refused: str
    trace: tuple[Looked, ...]
    facts: Facts

    def to_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "options": [*self.options],
            "review": [*self.review],
            "basis": [*self.basis],
            "missing": [*self.missing],
            "obligations": [duty.to_json() for duty in self.obligations],
            "notes": [*self.notes],
            "refused": self.refused or None,
            "trace": [looked.to_json(self.facts) for looked in self.trace],
            "rule": self.rule or None,
            "table": self.table,
            "as_of": str(self.as_of),
        }
