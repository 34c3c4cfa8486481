"""Where the law lets a job's datasets go, on one day.

Whoever sends data over a border is the organisation that owns them; who receives them is that of the job,
wherever it computes, and the centre acts for it. Within one jurisdiction nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from baygrid.app.catalogue import RegionCopy
from baygrid.app.inputs import find_dataset
from baygrid.core.data.lineage import Content
from baygrid.core.days import day_of
from baygrid.core.jobs.addresses import DATASET, dataset
from baygrid.core.jobs.spec import JobSpec
from baygrid.core.placement.demand import Bar
from baygrid.core.reading import DocumentError
from baygrid.ports.basics import Instant
from baygrid.ports.records import DatasetRecord
from baygrid.ports.store import Tx
from baygrid.rulebooks.cross_border import Decision, NotLoaded, Outcome, decide

NOT_LOADED: Final = "NOT_LOADED"
"""There is no rulebook for that border, or none of that day."""
OPEN: Final = (Outcome.FREE, Outcome.EXEMPT)
_DIRECTIONS: Final = {"CN": "cn_out", "HK": "hk_out"}


def in_short(decision: Decision) -> dict[str, Any]:
    """What is needed to come to it again, and what it came to."""
    return {
        "as_of": str(decision.as_of),
        "outcome": decision.outcome,
        "basis": [*decision.basis],
        "obligations": [duty.id for duty in decision.obligations],
        "facts": {name: str(value) for name, value in sorted(decision.facts.items())},
    }


def side(jurisdiction: str) -> str:
    """The law of CN-QH is that of CN."""
    return jurisdiction.partition("-")[0]


class Borders:
    """What the rulebooks of a day say, in one transaction: each question is asked once."""

    def __init__(self, tx: Tx, region: RegionCopy, now: Instant) -> None:
        self._tx = tx
        self._region = region
        self._day = day_of(now)
        self._places = sorted({centre.jurisdiction for centre in region.centres.values()})
        self._datasets: dict[str, DatasetRecord | None] = {}
        self._facts: dict[str, Mapping[str, Any]] = {}
        self._decided: dict[tuple[object, ...], Decision | Bar] = {}

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

    def crossings(self, spec: JobSpec, place: str) -> list[tuple[DatasetRecord, Decision]]:
        """What the law said of each dataset that leaves its side for this jurisdiction."""
        taken = [row for row in map(self._dataset, _inputs(spec)) if row is not None]
        asked = [(row, self._decide(spec, row, place)) for row in taken if _leaves(row, place)]
        return [(row, said) for row, said in asked if isinstance(said, Decision)]

    def _bar(self, spec: JobSpec, row: DatasetRecord, place: str) -> Bar | None:
        if not _leaves(row, place):
            return None
        said = self._decide(spec, row, place)
        if isinstance(said, Bar) or said.outcome in OPEN:
            return said if isinstance(said, Bar) else None
        return Bar(place, row.ref, said.outcome, said.basis, said.missing)

    def _decide(self, spec: JobSpec, row: DatasetRecord, place: str) -> Decision | Bar:
        whose = self._region.organisations.get(spec.project, "")
        use = tuple(sorted(spec.use.items()))
        key = (row.ref, place, whose, use)
        if key not in self._decided:
            self._decided[key] = self._asked(row, whose, dict(use), place)
        return self._decided[key]

    def _asked(
        self, row: DatasetRecord, whose: str, use: Mapping[str, str | bool], place: str
    ) -> Decision | Bar:
        direction = _DIRECTIONS.get(side(row.jurisdiction))
        if direction is None:
            return Bar(place, row.ref, NOT_LOADED)
        owner = self._region.organisations.get(row.project, "")
        exporter, recipient = self._party(owner), self._party(whose)
        facts = {
            **use,
            "direction": direction,
            "exporter": _named(_OF_EXPORTERS, exporter) | {"jurisdiction": side(row.jurisdiction).lower()},
            "recipient": _named(_OF_RECIPIENTS, recipient)
            | {"jurisdiction": side(place).lower(), "data_processor": True},
            "data": _data(row.content),
        }
        try:
            return decide(facts, self._day)
        except NotLoaded:
            return Bar(place, row.ref, NOT_LOADED)
        except DocumentError as wrong:
            return Bar(place, row.ref, Outcome.NEEDS_FACT, (), tuple(it.path for it in wrong.problems))

    def _dataset(self, ref: str) -> DatasetRecord | None:
        if ref not in self._datasets:
            self._datasets[ref] = find_dataset(self._tx, "", dataset(ref))
        return self._datasets[ref]

    def _party(self, organisation: str) -> Mapping[str, Any]:
        if organisation not in self._facts:
            row = self._tx.catalogue.party(organisation)
            self._facts[organisation] = {} if row is None else row.facts
        return self._facts[organisation]


_OF_EXPORTERS: Final = ("city", "registered_in_gba9", "ciio", "state_organ", "ftz_zone", "handled_persons")
_OF_RECIPIENTS: Final = (
    "registered_in_hk_or_gba9",
    "on_art42_list",
    "is_foreign_judicial_or_enforcement",
    "approved_by_authority",
)


def _named(names: Iterable[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in names if name in facts}


def _inputs(spec: JobSpec) -> Iterable[str]:
    return (place for _, place in sorted(spec.inputs.items()) if place.startswith(DATASET))


def _leaves(row: DatasetRecord, place: str) -> bool:
    return side(row.jurisdiction) != side(place)


def _data(content: Content) -> dict[str, Any]:
    law = content.law
    said: dict[str, Any] = {
        "pi": law.personal,
        "spi": law.sensitive,
        "important": law.important.value,
        "core": law.core,
        "origin": law.origin.value,
        "domestic_mixed": law.mixed,
    }
    return {name: value for name, value in said.items() if value is not None}
