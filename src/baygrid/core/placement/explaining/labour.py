"""What a job's work comes to at a place, in words and figures: expected time and cost, by which rating."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from baygrid.core.placement.judging.scorers import Figures
from baygrid.core.placement.work import MARGIN, Work
from baygrid.core.reading import format_instant
from baygrid.core.reasons import JSON
from baygrid.core.units import DECIMALS, WORK, Money, format_duration

_NAMES: Final = {"images": "images", "audio_hours": "hours of audio", "km": "km"}


def said(by: Figures, n: int) -> str:
    """Of the n-th candidate, to be put after what else is said of it; "" for a job that says no work."""
    work = by.demand.work
    if work is None:
        return ""
    offer = by.table.offers[int(by.offer[n])]
    pace = offer.paces.get(work.unit)
    if pace is None:
        return f"; nothing measured says how long {amount(work)} take there: its full time is reckoned with"
    takes, by_what = int(by.work_s[n]), f"{pace.profile} of {format_instant(pace.measured_at)[:10]}"
    if takes > by.demand.time_s:
        return (
            f"; {amount(work)} are expected to take {format_duration(takes)} there (by {by_what}), more than"
            f" its time of {format_duration(by.demand.time_s)}: it would be stopped before they are done"
        )
    cost = Money(int(by.run_cost[n]), offer.currency)
    return (
        f"; {amount(work)} are expected to take {format_duration(takes)} there and to cost {cost}, by"
        f" {by_what} with {float(MARGIN - 1):.0%} to spare"
    )


def figures(by: Figures, n: int) -> dict[str, JSON]:
    """The same for programs. `cost_minor` of a place that is not rated: for its full time. `price`: major
    units for `per` units, where they are expected to be done."""
    work = by.demand.work
    assert work is not None
    offer = by.table.offers[int(by.offer[n])]
    pace = offer.paces.get(work.unit)
    cost = int(by.run_cost[n])
    major = Fraction(cost * 1000 * WORK[work.unit], work.thousandths * 10 ** DECIMALS[offer.currency])
    late = bool(by.late[n])
    return {
        "unit": work.unit,
        "per": WORK[work.unit],
        "takes_s": None if pace is None else int(by.work_s[n]),
        "cost_minor": cost,
        "price": None if late or pace is None else float(f"{float(major):.5g}"),
        "late": late,
        "profile": None if pace is None else pace.profile,
        "measured_ms": None if pace is None else pace.measured_at,
    }


def outranked(by: Figures, n: int, best: int, name: str) -> str:
    """Why the n-th candidate comes after the one at `best`, which is called `name`, by its work."""
    work, offer = by.demand.work, by.table.offers[int(by.offer[n])]
    assert work is not None
    more, cost = int(by.price[n]) - int(by.price[best]), Money(int(by.price[n]), offer.currency)
    how = (
        f"{Money(abs(more), offer.currency)} {'more' if more > 0 else 'less'} than" if more else "as much as"
    )
    text = f"is expected to cost {cost} for {amount(work)}, {how} {name}"
    return text + ("" if more >= 0 else ", which the job asks for first")


def amount(work: Work) -> str:
    """ "2,000,000 images"."""
    whole, rest = divmod(work.thousandths, 1000)
    return (
        f"{whole:,} {_NAMES[work.unit]}"
        if not rest
        else f"{work.thousandths / 1000:,.3f} {_NAMES[work.unit]}"
    )
