"""The platform's own figures: what was asked for and not had, what keeps jobs away from each centre, data
that nobody offers; who used what and had what support. Each is counted in the store when it is asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid
from baygrid.core.days import beginning, day_of
from baygrid.core.indicators.figure import Figure, Population, rounded
from baygrid.core.indicators.period import Period
from baygrid.core.indicators.suppress import Cell, suppress
from baygrid.core.jobs.lifecycle import JobState
from baygrid.core.jobs.spec import parse
from baygrid.core.region.bodies import Kind, Labelled
from baygrid.core.units import DECIMALS
from baygrid.observatory.own import BY_LAYER, REASONS
from baygrid.ports.basics import Ids
from baygrid.ports.bottlenecks import Unplaced
from baygrid.ports.records import Held
from baygrid.ports.store import Tx

UNMET: Final = "compute.hours_unmet"
CONSTRAINT: Final = "centres.constraint"
REQUESTS: Final = "data.requests_unmet"
USED: Final = "compute.used"
SUPPORT: Final = "support.received"
HOURS: Final = "accelerator_hours"
CONSTRAINTS: Final[Mapping[str, frozenset[str]]] = {
    "outranked": frozenset({"ranked-lower"}),
    "capacity": frozenset({"busy", "reserved", "kept", "pending", "quota", "quota-kept", "no-spot"}),
    "price": frozenset({"over-budget", "no-offer", "currency"}),
    "closed": frozenset({"centre-closed", "centre-unreachable", "no-inventory"}),
    "law": frozenset({"law", "residency"}),
    "choice": frozenset({"not-asked-for", "avoided"}),
    "equipment": frozenset({"accelerator", "capability", "node-too-small", "too-few-nodes", "time-limit"}),
}
"""What keeps jobs away, by the codes of `core.placement`; the nearest to running there first."""
OTHER: Final = "other"

MOST_DAYS: Final = 366
_DAYS: Final = 30
_ORDER: Final = (*CONSTRAINTS, OTHER)
_PLACE: Final = {code: _ORDER.index(kind) for kind, codes in CONSTRAINTS.items() for code in codes}
_DAY: Final = timedelta(days=1)
_ZONE: Final = "the region"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Of days, both in it; `seen`: the day on which it is looked at."""

    first: date
    last: date
    seen: date

    @property
    def start(self) -> int:
        return beginning(self.first)

    @property
    def end(self) -> int:
        return beginning(self.last + _DAY)

    def figure(self, id: str, value: Decimal, unit: str, of: str, part: str = "", note: str = "") -> Figure:
        population, period = Population(of, _ZONE, part), Period(self.first, self.last)
        return Figure(id, value, unit, population, period, self.seen, "the platform's own records", note=note)


def show(
    platform: Platform, actor: Actor, first: date | None, last: date | None, only: str = ""
) -> list[Figure]:
    """Of these days, else of the last 30. `only` what a chart of this id (`observatory.own`) has; "": all.
    Raises Invalid."""
    permit(actor, Action.BROWSE)
    stretch = stretch_of(first, last, day_of(platform.clock()))
    return platform.store.read(lambda tx: platform_figures(tx, platform.ids, stretch, only))


def stretch_of(first: date | None, last: date | None, today: date) -> Stretch:
    """Raises Invalid."""
    last = min(last or today, today)
    first = first or last - (_DAYS - 1) * _DAY
    if first > last:
        raise Invalid.at("from", f"{first} is after {last}: turn them round")
    if (last - first).days >= MOST_DAYS:
        raise Invalid.at("from", f"ask for at most {MOST_DAYS} days at once")
    return Stretch(first, last, today)


def platform_figures(tx: Tx, ids: Ids, stretch: Stretch, only: str = "") -> list[Figure]:
    """`only`: as in `show`."""
    found: list[Figure] = []
    if only in ("", UNMET):
        found += _unmet(stretch, tx, ids)
    if only in ("", CONSTRAINT):
        found += _constraints(stretch, tx, ids)
    if only in ("", REQUESTS):
        found += _requests(stretch, tx)
    if only in ("", USED, SUPPORT):
        found += _by_layer(stretch, tx)
    return found


def _unmet(stretch: Stretch, tx: Tx, ids: Ids) -> Iterator[Figure]:
    hours: dict[str, Fraction] = dict.fromkeys(REASONS, Fraction(0))
    for row in tx.bottlenecks.unplaced(ids.earliest("job", stretch.start), stretch.start, stretch.end):
        if (reason := _reason(row)) is not None:
            hours[reason] += row.jobs * _hours(row.spec)
    of = "jobs submitted and never placed"
    note = "hours that their jobs asked for; what was refused at once was never a job"
    total = rounded(sum(hours.values(), Fraction(0)), HOURS)
    yield stretch.figure(UNMET, total, HOURS, of, note=note)
    for reason, asked in hours.items():
        yield stretch.figure(f"{UNMET}.{reason}", rounded(asked, HOURS), HOURS, of, reason, note)


def _reason(row: Unplaced) -> str | None:
    """None where it waits, or waited, for its own project only: for another job, or its turn in its array."""
    if row.state is JobState.QUEUED:
        return "room"
    if row.state is JobState.HELD:
        return "money" if row.cause == Held.MONEY else None
    return None if row.cause == "dependency" else "given_up"


def _hours(document: Mapping[str, Any]) -> Fraction:
    """Of accelerators that a job asks for at least, by its first choice, for as long as it may run."""
    spec = parse(document)
    if not spec.resources.accelerators:
        return Fraction(0)
    asked = spec.resources.accelerators[0]
    nodes = spec.min_nodes or spec.nodes
    return Fraction(nodes * asked.count * asked.share * spec.time, 1000 * 3600)


def _constraints(stretch: Stretch, tx: Tx, ids: Ids) -> Iterator[Figure]:
    kept: Counter[tuple[str, str]] = Counter()
    placed = 0
    first = ids.earliest("att", stretch.start)
    for explanation in tx.bottlenecks.placed(first, stretch.start, stretch.end):
        placed += 1
        kept.update(kept_away(explanation).items())
    note = f"of {placed} placements; of each what came nearest to running there"
    for centre, kind in sorted(kept, key=lambda it: (it[0], _ORDER.index(it[1]))):
        number = Decimal(kept[centre, kind])
        id = f"{CONSTRAINT}.{centre}.{kind}"
        yield stretch.figure(id, number, "jobs", f"jobs not placed at {centre}", kind, note)


def kept_away(explanation: Mapping[str, Any]) -> dict[str, str]:
    """Of a stored explanation: by centre what kept the job away, taking of its partitions the one that came
    nearest. Not of the centre that it went to."""
    nearest: dict[str, int] = {}
    for verdict in explanation.get("verdicts", ()):
        centre = verdict["subject"].split(" ")[0].split("/")[0]
        farthest = -1
        for obstacle in verdict["obstacles"]:
            farthest = max(farthest, _PLACE.get(obstacle["code"], len(CONSTRAINTS)))
        nearest[centre] = min(farthest, nearest.get(centre, farthest))
    return {centre: _ORDER[place] for centre, place in nearest.items() if place >= 0}


def _requests(stretch: Stretch, tx: Tx) -> Iterator[Figure]:
    """Wishes of the catalogue are taken back by nobody, so those are open that were made by then."""
    wishes = [it for it in tx.catalogue.wishes() if it.first_at < stretch.end and it.last_at >= stretch.start]
    of = "wishes for data that nobody offers"
    yield stretch.figure(REQUESTS, Decimal(len(wishes)), "requests", of)
    times = Decimal(sum(it.times for it in wishes))
    yield stretch.figure(f"{REQUESTS}.times", times, "requests", of, "each time that one was made")


def _by_layer(stretch: Stretch, tx: Tx) -> Iterator[Figure]:
    """By organisation first: a cell of few tells of one."""
    hours: dict[str, Fraction] = defaultdict(Fraction)
    support: dict[str, dict[str, Fraction]] = {currency: defaultdict(Fraction) for currency in DECIMALS}
    for charge in tx.bottlenecks.charged(stretch.start, stretch.end):
        used = [Fraction(it["quantity"]) for it in charge.lines if it["unit"] == "accelerator-hour"]
        if used:
            hours[charge.organisation] += sum(used)
        if charge.supported:
            minor = Fraction(charge.supported, 10 ** DECIMALS[charge.currency])
            support[charge.currency][charge.organisation] += minor
    layers = _layers(tx, stretch.last)
    yield from _cells(stretch, USED, HOURS, hours, layers)
    for currency, amounts in support.items():
        if amounts or currency == "CNY":
            tail = "" if currency == "CNY" else f".{currency.lower()}"
            yield from _cells(stretch, f"{SUPPORT}{tail}", currency, amounts, layers)


def _layers(tx: Tx, day: date) -> dict[str, str]:
    """By organisation the layer, on that day, of the company that it is in the registry."""
    found: dict[str, str] = {}
    for row in tx.registry.linked():
        if row.organisation is not None and row.record.body.kind is Kind.COMPANY:
            labels = (it.value for it in row.record.labels_on(day) if it.kind is Labelled.LAYER)
            found[row.organisation] = next(labels, "unlabelled")
    return found


def _cells(
    stretch: Stretch, id: str, unit: str, amounts: Mapping[str, Fraction], layers: Mapping[str, str]
) -> Iterator[Figure]:
    parts: dict[str, list[Fraction]] = {layer: [] for layer in BY_LAYER}
    for organisation, amount in amounts.items():
        parts[layers.get(organisation, "not_linked")].append(amount)
    cells = {"all": _cell([*amounts.values()], unit)} | {it: _cell(had, unit) for it, had in parts.items()}
    withheld = suppress(cells, [{"all": -1, **dict.fromkeys(BY_LAYER, 1)}])
    for layer, cell in cells.items():
        name, part = (id, "") if layer == "all" else (f"{id}.{layer}", layer)
        figure = stretch.figure(name, cell.value, unit, "organisations on the platform", part)
        yield figure.withheld(withheld[layer]) if layer in withheld else figure


def _cell(amounts: list[Fraction], unit: str) -> Cell:
    largest = tuple(rounded(it, unit) for it in sorted(amounts, reverse=True)[:2])
    return Cell(rounded(sum(amounts, Fraction(0)), unit), len(amounts), largest)
