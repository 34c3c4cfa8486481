"""What an hour at a centre costs, from when on: the tariffs in force and to come, and a form for the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final

from starlette.responses import Response

from baygrid.app import centres, offers
from baygrid.app.offers import Rates
from baygrid.app.problems import Invalid, NotFound, Problem
from baygrid.app.terms import EnergyRates
from baygrid.core.pricing.tariff import Tariff, in_force
from baygrid.core.terms import Energy, Terms
from baygrid.core.units import DECIMALS, exact
from baygrid.portal.language import N_
from baygrid.portal.page import page
from baygrid.portal.routing import Page
from baygrid.portal.visit import Visit, go
from baygrid.ports.records import CentreRecord, Offer

RATES: Final = {
    "accelerator_hour": N_("An accelerator, an hour"),
    "cpu_hour": N_("A CPU, an hour"),
    "gib_hour": N_("A GiB of memory, an hour"),
    "egress_gib": N_("A GiB of inputs brought in"),
}
SECONDS: Final = {
    "minimum_s": N_("Charged at least, seconds"),
    "round_up_s": N_("Rounded up to, seconds"),
}
_FIELDS: Final = (*RATES, *SECONDS, "valid_from", "currency", "energy")
_LAST_YEAR: Final = 9000


@dataclass(frozen=True, slots=True)
class Place:
    """What prices are set of: an offer, or a partition (with a model) that has none yet."""

    partition: str
    accelerator: str | None
    offer: Offer | None = None

    @property
    def key(self) -> str:
        return self.offer.id if self.offer else f"{self.partition}/{self.accelerator or ''}"

    @property
    def title(self) -> str:
        return f"{self.partition} · {self.accelerator or 'CPU'}"


def places(record: CentreRecord, priced: list[Offer]) -> list[Place]:
    """Every offer, then each model of a partition that has no price, or the partition where it has none."""
    found = [Place(it.partition, it.accelerator, it) for it in priced]
    known = {(it.partition, it.accelerator) for it in found}
    for part in record.inventory:
        models: list[str | None] = [*sorted({model for node in part.nodes for model in node.accelerators})]
        found += [Place(part.name, model) for model in models or [None] if (part.name, model) not in known]
    return found


def show(visit: Visit) -> Response:
    return _shown(visit, visit.asked("of"))


def _shown(
    visit: Visit,
    of: str,
    typed: Mapping[str, str] | None = None,
    problem: Problem | None = None,
    planned: Tariff | None = None,
) -> Response:
    record, every = _known(visit)
    chosen = next((it for it in every if it.key == of), None)
    if of and chosen is None:
        raise NotFound(f"{record.name} has nothing that is called {of[:80]!r}")
    before = _now(chosen.offer, visit.now) if chosen and chosen.offer else None
    return page(
        visit, "centre/prices.html", problem=problem, centre=record, places=every, chosen=chosen,
        typed=typed or _as_typed(before), planned=planned, before=before, rates=RATES, seconds_of=SECONDS,
        currencies=[(it, it) for it in DECIMALS], notice_s=visit.platform.notice_ms // 1000, now=visit.now,
        in_force=lambda offer: in_force(offer.tariffs, visit.now), terms=lambda it: it.terms or Terms(),
        amount=_amount,
    )  # fmt: skip


def _known(visit: Visit) -> tuple[CentreRecord, list[Place]]:
    """Raises NotFound, and Forbidden for who does not tend this centre."""
    record = centres.tended(visit.platform, visit.actor, visit.param("centre"))
    priced = [it for it in offers.offers(visit.platform, visit.actor) if it.centre == record.name]
    return record, places(record, priced)


def _now(offer: Offer, now: int) -> Tariff:
    return in_force(offer.tariffs, now) or offer.tariffs[0]


def _amount(tariff: Tariff | None, name: str) -> Fraction:
    """One of `RATES` or `SECONDS`."""
    if tariff is None:
        return Fraction(0)
    value: Fraction | int = getattr(tariff if name.endswith("_hour") else tariff.terms or Terms(), name)
    return Fraction(value)


def _as_typed(tariff: Tariff | None) -> dict[str, str]:
    amounts = {name: exact(_amount(tariff, name)) for name in (*RATES, *SECONDS)}
    return amounts | {"valid_from": "", "currency": "CNY", "energy": "yes"}


def set_(visit: Visit) -> Response:
    """First what would be announced is shown, then it is: only then anything is changed."""
    typed: dict[str, str] = {name: visit.form.get(name) for name in _FIELDS}
    of = visit.form.get("of")
    record, every = _known(visit)
    chosen = next((it for it in every if it.key == of), None)
    if chosen is None:
        raise NotFound(f"{record.name} has nothing that is called {of[:80]!r}")
    planned: Tariff | None = None
    try:
        begins = _moment(visit, typed["valid_from"])
        rates = _rates(typed, chosen.offer, visit.now)
        if chosen.offer is not None:
            _, planned = offers.planned_tariff(visit.platform, visit.actor, chosen.offer.id, begins, rates)
            if visit.form.get("do") == "set":
                offers.add_tariff(visit.platform, visit.actor, chosen.offer.id, begins, rates)
        else:
            start = visit.now if begins is None else begins
            offer = offers.offer_of(
                None, record.name, chosen.partition, chosen.accelerator, typed["currency"], rates, start
            )
            (planned,) = offer.tariffs
            if visit.form.get("do") == "set":
                offers.add_offer(
                    visit.platform, visit.actor, id=None, centre=record.name, partition=chosen.partition,
                    accelerator=chosen.accelerator, currency=typed["currency"], rates=rates,
                    valid_from=begins,
                )  # fmt: skip
    except Problem as problem:
        return _shown(visit, of, typed, problem)
    if visit.form.get("do") == "set":
        return go(visit, f"centres/{record.name}/prices", told=visit.say("The prices are announced."))
    return _shown(visit, of, typed, planned=planned)


def _moment(visit: Visit, text: str) -> int | None:
    """By the reader's clock. Raises Invalid."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=visit.voice.zone)
        if not 1971 <= at.year < _LAST_YEAR:
            raise ValueError
        return int(at.timestamp() * 1000)
    except ValueError:
        raise Invalid.at("valid_from", "must be a day and a time such as 2026-12-01T08:00") from None


def _rates(typed: Mapping[str, str], offer: Offer | None, now: int) -> Rates:
    """What is left out costs nothing. Raises Invalid."""
    before = None if offer is None else _now(offer, now).terms
    kept = before.energy if before is not None and typed["energy"] == "yes" else None
    numbers = {name: _whole(name, typed[name]) for name in SECONDS}
    texts = {name: typed[name] or "0" for name in RATES}
    return Rates(**texts, **numbers, energy=None if kept is None else _as_said(kept))  # type: ignore[arg-type]


def _whole(name: str, text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Invalid.at(name, "must be a whole number of seconds")
    return int(text or 0)


def _as_said(energy: Energy) -> EnergyRates:
    hours, minutes = divmod(abs(energy.utc_offset_min), 60)
    offset = f"{'-' if energy.utc_offset_min < 0 else '+'}{hours:02}:{minutes:02}"
    return EnergyRates(
        [exact(price) for price in energy.price_kwh], offset, energy.watts_cpu, energy.watts_accelerator
    )


PAGES = (
    Page("centres/{centre}/prices", show, here="centre-prices"),
    Page("centres/{centre}/prices", set_, here="centre-prices", method="POST"),
)
