"""What the law is asked about a contract, and what it answers on a day.

Persons are counted only where the law asks for them: most answers do not depend on how many there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from baygrid.app.transfers import DIRECTIONS, MAINLAND, document, side
from baygrid.core.data.counting import Threshold
from baygrid.core.data.labels import Labels, Together, together
from baygrid.core.data.parties import pilot_span
from baygrid.core.data.permission import Decided, Obligation, Pilot, Standing
from baygrid.core.data.showing import labels_shown, only_figures, subject_of
from baygrid.core.days import beginning, day_of
from baygrid.core.law.parameters import Lapsed, value_on
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow, GrantRow
from baygrid.ports.data import PartyRow, TableRow
from baygrid.ports.store import Tx
from baygrid.rulebooks.cross_border import (
    Decision,
    Duty,
    NotLoaded,
    NotPublished,
    Outcome,
    counted_since,
    decide,
    due,
    lines,
)
from baygrid.rulebooks.cross_border.book import book
from baygrid.rulebooks.cross_border.lists import Lists

SAID: Final = (
    "sector",
    "purpose",
    "direct_marketing",
    "received_under",
    "research_only",
    "recipient.data_processor",
    "ftz.listed",
    "ftz.listed_route",
)
"""Facts that the parties say of a contract. Of themselves they say nothing: that an operator verifies."""
ANONYMOUS: Final = "aggregates-anonymous"
REVIEWED: Final = "review-gba_sc"
NOT_LOADED: Final = "NOT_LOADED"

# How long what is recorded of an obligation holds: numbers of the mainland's table.
_HOLDS: Final[Mapping[str, str]] = {"assessment-passed": "assessment_years", "cert-valid": "cert_years"}
# What an assessment asks for, which a person who signs for the other way decides is not needed.
_OF_ASSESSMENT: Final = frozenset(
    {"assessment-passed", "assessment-scope", "assessment-extension", "year-suspended"}
)
_TAKES_EFFECT: Final = "the contract takes effect"
_SIGNED: Final = "sc-effective"
_BELOW_ALL: Final = "M11"
"""The exemption by numbers (Provisions 5(4)): what it lets out counts, of other exemptions nothing does."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A contract with all that the law asks about."""

    row: ContractRow
    grants: tuple[GrantRow, ...]
    tables: Mapping[str, TableRow]
    exporter: PartyRow | None
    recipient: PartyRow | None

    @property
    def shown(self) -> Together:
        return together(label for grant in self.grants for label in self._labels(grant))

    @property
    def places(self) -> frozenset[str]:
        """The jurisdictions in which the tables lie."""
        return frozenset(side(it.place) for it in self.tables.values())

    @property
    def figures_only(self) -> bool:
        return only_figures(it.terms for it in self.grants)

    @property
    def anonymous(self) -> bool:
        """Figures over persons are anonymous where a named person has decided that they are."""
        return self.figures_only and ANONYMOUS in self.row.records

    def subject(self, grant: GrantRow) -> str | None:
        return subject_of(self.tables[grant.ref].labels)

    def personal(self, grant: GrantRow) -> bool:
        """Whether that grant may show something of persons."""
        return any(it.personal is not False for it in self._labels(grant))

    def sensitive(self, grant: GrantRow) -> bool:
        """Whether it may show something sensitive of them."""
        return any(it.sensitive is not False for it in self._labels(grant))

    def _labels(self, grant: GrantRow) -> list[Labels]:
        table = self.tables[grant.ref]
        return labels_shown([it.name for it in table.columns], grant.terms, table.labels)


@dataclass(frozen=True, slots=True)
class Answer:
    """`document`: the decision as it is kept. `counts`: the contract's persons count against thresholds."""

    document: Mapping[str, Any]
    law: Decided
    counts: bool


def crossing(tx: Tx, row: ContractRow, grants: Sequence[GrantRow]) -> Crossing:
    consumer = tx.region.projects([row.consumer])[row.consumer]
    tables = {}
    for grant in grants:
        table = tx.catalogue.table(grant.project, grant.name)
        assert table is not None, "tables are never removed"
        tables[grant.ref] = table
    exporter = tx.catalogue.party(row.exporter)
    return Crossing(row, tuple(grants), tables, exporter, tx.catalogue.party(consumer.organisation))


def since(day: date) -> Instant:
    """From which moment on persons count."""
    return beginning(counted_since(day))


def thresholds(day: date) -> tuple[Threshold, ...]:
    """At which the law's answer changes."""
    found = {
        (it.count.rpartition(".")[2], it.limit) for it in lines(day) if it.count.startswith("ytd_after.")
    }
    return tuple(Threshold("spi" if kind == "spi" else "pi", limit) for kind, limit in sorted(found))


def standing(it: Crossing) -> Standing:
    row, pilot = it.row, None if it.exporter is None else it.exporter.pilot
    return Standing(
        row.state,
        row.suspensions,
        row.start,
        row.until,
        row.choice,
        row.records,
        row.scope,
        None if pilot is None else Pilot(*pilot_span(pilot), tuple(pilot["scope"])),
    )


def answer(it: Crossing, day: date, count: Callable[[], tuple[int, int] | None], lists: Lists) -> Answer:
    """What the law says of the contract on that day. `count`: persons of whom nothing sensitive and something
    sensitive will have left, with this contract's; None where they cannot be told apart.
    `lists`: that the operator has loaded."""
    recipient = None if it.recipient is None else it.recipient.facts.get("jurisdiction")
    if len(it.places) != 1:
        return _not_loaded(day, "tables in several jurisdictions are one contract for each")
    (place,) = it.places
    if recipient == place:
        return _within(day, place)
    if place not in DIRECTIONS:
        return _not_loaded(day, f"of data in {place} no law is loaded")
    try:
        found = decide(facts(it, None), day, lists)
        if any(name.startswith(("ytd_after.", "since_previous_year.")) for name in found.missing):
            counted = count()
            if counted is not None:
                found = decide(facts(it, counted), day, lists)
    except (NotLoaded, Lapsed) as unknown:
        return _not_loaded(day, str(unknown))
    counts = place == MAINLAND and _counting(found, it)
    return Answer(found.to_json(), _decided(found, it, day), counts)


def facts(it: Crossing, counted: tuple[int, int] | None) -> dict[str, Any]:
    """The document that `rulebooks.cross_border.decide` reads."""
    (place,) = it.places
    return document(
        place,
        {} if it.exporter is None else it.exporter.facts,
        {} if it.recipient is None else it.recipient.facts,
        it.shown,
        {"ground": it.row.ground, "choice": it.row.choice, **it.row.facts},
        anonymised=it.anonymous,
        counted=counted,
    )


def _counting(found: Decision, it: Crossing) -> bool:
    """Whether its persons count. Of what no exemption covers for certain they do."""
    if found.outcome == Outcome.FREE or it.shown.personal is False:
        return False
    return found.outcome != Outcome.EXEMPT or found.rule == _BELOW_ALL


def _decided(found: Decision, it: Crossing, day: date) -> Decided:
    choice = it.row.choice
    signing = choice in found.review
    open_ = choice is None and found.outcome == Outcome.STANDARD_CONTRACT_OR_CERTIFICATION
    duties = [
        duty
        for duty in found.obligations
        # Of ways that nobody must go only the one that was chosen obliges.
        if duty.option in ("", choice) or open_
        if not (signing and duty.id in _OF_ASSESSMENT)
    ]
    obligations = [_obligation(duty, it, day) for duty in duties]
    if signing:
        says = (
            f"a person decides that {it.row.choice} does although {', '.join(found.basis)} applies, and signs"
        )
        obligations.insert(0, Obligation(REVIEWED, says, ", ".join(found.basis), True))
    return Decided(found.outcome, found.options, found.basis, found.missing, tuple(obligations))


def _obligation(duty: Duty, it: Crossing, day: date) -> Obligation:
    limit = _HOLDS.get(duty.id)
    years = None if limit is None else _number(limit, day)
    last = None if duty.first_byte else _last_day(duty, it)
    return Obligation(duty.id, duty.what, ", ".join(duty.basis), duty.first_byte, last, years)


def _number(parameter: str, day: date) -> int | None:
    try:
        return int(str(value_on(book("cn_out").table.parameters, parameter, day).value))
    except Lapsed:
        return None


def _last_day(duty: Duty, it: Crossing) -> date | None:
    """Of a clock that runs since the contract took effect: since it was signed, where that is recorded. None
    where it has not begun, and where the days of that year are not published yet."""
    if duty.clock is None or duty.clock.since != _TAKES_EFFECT:
        return None
    signed = it.row.records.get(_SIGNED)
    opened = [grant.opened for grant in it.grants if grant.opened is not None]
    if signed is None and not opened:
        return None
    began = day_of(min(opened)) if signed is None else signed.day
    try:
        return due(duty, began)
    except NotPublished:
        return None


def _within(day: date, place: str) -> Answer:
    basis = (f"no border is crossed: the data and the recipient are in {place}",)
    return Answer(_document(day, Outcome.FREE.value, basis), Decided(Outcome.FREE.value, basis=basis), False)


def _not_loaded(day: date, why: str) -> Answer:
    return Answer(_document(day, NOT_LOADED, (why,)), Decided(NOT_LOADED, basis=(why,)), False)


def _document(day: date, outcome: str, basis: tuple[str, ...]) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "options": [],
        "review": [],
        "basis": [*basis],
        "missing": [],
        "obligations": [],
        "notes": [],
        "refused": None,
        "trace": [],
        "rule": None,
        "table": None,
        "as_of": str(day),
    }
