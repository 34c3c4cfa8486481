"""What centres do in an hour and what that costs, as it is told beside their offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from baygrid.core.pricing.tariff import in_force
from baygrid.core.rating import judging
from baygrid.core.rating.prices import price
from baygrid.core.rating.value import Rating
from baygrid.core.rating.yardsticks import PROFILES
from baygrid.core.units import WORK
from baygrid.ports.basics import Instant
from baygrid.ports.records import Offer, PlanRow


@dataclass(frozen=True, slots=True)
class Rated:
    """`status`: measured, stale or planned. `price`: major units of the offer's currency for `per` units of
    work, of a fresh rating only. `at`: when it was measured, or planned."""

    unit: str
    status: str
    units_per_hour: float
    per_device_hour: float | None
    devices: int | None
    profile: str | None
    at: Instant
    note: str
    price: Fraction | None
    per: int


def of_offer(offer: Offer, found: Iterable[Rating], plan: PlanRow | None, now: Instant) -> list[Rated]:
    """By unit of work: measured by the profile that centres are compared by; else what is planned."""
    by_unit = {it.unit: it for it in found if it.profile == PROFILES[it.unit]}
    rows = []
    for unit in WORK:
        if unit in by_unit:
            rows.append(_measured(offer, by_unit[unit], now))
        elif plan is not None and unit in plan.plan.units_per_hour:
            rows.append(_planned(plan, unit))
    return rows


def _measured(offer: Offer, it: Rating, now: Instant) -> Rated:
    tariff = in_force(offer.tariffs, now) or offer.tariffs[0]
    fresh = judging.fresh(it, now)
    return Rated(
        it.unit,
        "measured" if fresh else "stale",
        it.units_per_hour,
        it.units_per_hour / it.devices,
        it.devices,
        it.profile,
        it.measured_at,
        "",
        price(it, tariff) if fresh else None,
        WORK[it.unit],
    )


def _planned(row: PlanRow, unit: str) -> Rated:
    per_hour = row.plan.units_per_hour[unit]
    return Rated(unit, "planned", per_hour, None, None, None, row.set_at, row.plan.note, None, WORK[unit])
