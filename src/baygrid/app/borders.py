"""Where the law lets a job's datasets go, on one day.

Whoever sends data over a border is the organisation that owns them; who receives them is that of the job,
wherever it computes, and the centre acts for it. Within one jurisdiction nothing is asked. What an
organisation does with its own data it says itself, and meets the law's obligations itself; of another's data
what the user says counts for nothing, and what must be done before the first byte is recorded in a contract.
A job counts no persons: where the law asks how many there are, or for a route, a contract about the whole
dataset must let the job's project read it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from baygrid.app.catalogue import RegionCopy
from baygrid.app.contract_steps import loaded
from baygrid.app.crossing import Answer, Crossing, answer, since, standing
from baygrid.app.inputs import find_dataset
from baygrid.app.lawful import counting, persons
from baygrid.app.transfers import DIRECTIONS, document, side
from baygrid.core.data.permission import permitted
from baygrid.core.data.terms import Terms
from baygrid.core.days import day_of
from baygrid.core.jobs.addresses import DATASET, dataset
from baygrid.core.jobs.spec import JobSpec
from baygrid.core.placement.demand import Bar
from baygrid.core.reading import DocumentError
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow
from baygrid.ports.records import DatasetRecord
from baygrid.ports.store import Tx
from baygrid.rulebooks.cross_border import Decision, NotLoaded, Outcome, decide
from baygrid.rulebooks.cross_border.lists import Lists

NOT_LOADED: Final = "NOT_LOADED"
"""There is no rulebook for that border, or none of that day."""
OPEN: Final = (Outcome.FREE, Outcome.EXEMPT)
COUNTED: Final = "a contract about it, which counts the persons"
RECORDED: Final = "a contract about it, in which is recorded"


def in_short(decision: Decision) -> dict[str, Any]:
    """What is needed to come to it again, and what it came to."""
    return {
        "as_of": str(decision.as_of),
        "outcome": decision.outcome,
        "basis": [*decision.basis],
        "obligations": [duty.id for duty in decision.obligations],
        "facts": {name: str(value) for name, value in sorted(decision.facts.items())},
    }


@dataclass(frozen=True, slots=True)
class Way:
    """That a dataset may go: the `decision` in short, and the `contract` that it rests on, if it does on
    one."""

    decision: Mapping[str, Any]
    contract: str | None = None


class Borders:
    """What the rulebooks of a day say, in one transaction: each question is asked once."""

    def __init__(self, tx: Tx, region: RegionCopy, lists: Lists, now: Instant) -> None:
        self._lists = lists
        self._tx = tx
        self._region = region
        self._now = now
        self._day = day_of(now)
        self._places = sorted({centre.jurisdiction for centre in region.centres.values()})
        self._datasets: dict[str, DatasetRecord | None] = {}
        self._facts: dict[str, Mapping[str, Any]] = {}
        self._decided: dict[tuple[object, ...], Way | Bar] = {}

    def bars(self, spec: JobSpec) -> tuple[Bar, ...] | None:
        """One for each jurisdiction of a centre where its datasets may not go; None: it takes in none."""
        taken = [row for row in map(self._dataset, _inputs(spec)) if row is not None]
        if not taken:
            return None
        found = []
        for place in self._places:
            bar = next(filter(None, (self._bar(spec, row, place) for row in taken)), None)
            if bar is not None:
                found.append(bar)
        return tuple(found)

    def crossings(self, spec: JobSpec, place: str) -> list[tuple[DatasetRecord, Way]]:
        """By which way each dataset that leaves its side goes to this jurisdiction."""
        taken = [row for row in map(self._dataset, _inputs(spec)) if row is not None]
        asked = [(row, self._decide(spec, row, place)) for row in taken if _leaves(row, place)]
        return [(row, said) for row, said in asked if isinstance(said, Way)]

    def _bar(self, spec: JobSpec, row: DatasetRecord, place: str) -> Bar | None:
        said = self._decide(spec, row, place) if _leaves(row, place) else None
        return said if isinstance(said, Bar) else None

    def _decide(self, spec: JobSpec, row: DatasetRecord, place: str) -> Way | Bar:
        whose = self._region.organisations.get(spec.project, "")
        use = tuple(sorted(spec.use.items()))
        key = (row.ref, place, whose, spec.project, use)
        if key not in self._decided:
            self._decided[key] = self._asked(row, spec.project, whose, dict(use), place)
        return self._decided[key]

    def _asked(
        self, row: DatasetRecord, project: str, whose: str, use: Mapping[str, str | bool], place: str
    ) -> Way | Bar:
        here = side(row.jurisdiction)
        if here not in DIRECTIONS:
            return Bar(place, row.ref, NOT_LOADED)
        owner = self._region.organisations.get(row.project, "")
        exporter = {**self._party(owner), "jurisdiction": here}
        recipient = {**self._party(whose), "jurisdiction": side(place)}
        own = owner == whose
        said = {**use, "recipient.data_processor": True} if own else {}
        facts = document(here, exporter, recipient, row.content.law, said)
        try:
            found = decide(facts, self._day, self._lists)
        except NotLoaded:
            return Bar(place, row.ref, NOT_LOADED)
        except DocumentError as wrong:
            return Bar(place, row.ref, Outcome.NEEDS_FACT, (), tuple(it.path for it in wrong.problems))
        first = [duty.id for duty in found.obligations if duty.first_byte]
        if found.outcome in OPEN and (own or not first):
            return Way(in_short(found))
        contract = self._contract(row, project, place)
        if contract is not None:
            return Way(contract.decision or {}, contract.id)
        if found.outcome in OPEN:
            return Bar(place, row.ref, found.outcome, found.basis, (f"{RECORDED}: {', '.join(first)}",))
        missing = tuple(dict.fromkeys(COUNTED if it.startswith("ytd_after.") else it for it in found.missing))
        return Bar(place, row.ref, found.outcome, found.basis, missing)

    def _contract(self, row: DatasetRecord, project: str, place: str) -> ContractRow | None:
        """That lets the project read all of the dataset on that side, today."""
        for one in self._tx.contracts.of_consumer(project):
            it = loaded(self._tx, one)
            whole = any(it.tables[each.ref].uri == row.ref and each.terms == Terms() for each in it.grants)
            there = it.recipient is not None and it.recipient.facts.get("jurisdiction") == side(place)
            if whole and there and permitted(standing(it), self._answer(it).law, self._now) is None:
                return one
        return None

    def _answer(self, it: Crossing) -> Answer:
        start = since(self._day)
        count = counting(it, lambda: persons(self._tx, it.row.exporter, start, it.grants))
        return answer(it, self._day, count, self._lists)

    def _dataset(self, ref: str) -> DatasetRecord | None:
        if ref not in self._datasets:
            self._datasets[ref] = find_dataset(self._tx, "", dataset(ref))
        return self._datasets[ref]

    def _party(self, organisation: str) -> Mapping[str, Any]:
        if organisation not in self._facts:
            row = self._tx.catalogue.party(organisation)
            self._facts[organisation] = {} if row is None else row.facts
        return self._facts[organisation]


def _inputs(spec: JobSpec) -> Iterable[str]:
    return (place for _, place in sorted(spec.inputs.items()) if place.startswith(DATASET))


def _leaves(row: DatasetRecord, place: str) -> bool:
    return side(row.jurisdiction) != side(place)
