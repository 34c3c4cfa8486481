"""Explanations: of a placement, as it was decided; of a job that waits or is only imagined, as things are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.explaining import carriage, labour
from baygrid.core.placement.explaining.obstacles import obstacles
from baygrid.core.placement.image import Image
from baygrid.core.placement.judging.candidates import Candidate, candidates, offered
from baygrid.core.placement.judging.filters import OUTRANKED, never
from baygrid.core.placement.judging.offers import Judged, OfferTable
from baygrid.core.placement.judging.scorers import UNKNOWN
from baygrid.core.placement.planned import Kept
from baygrid.core.placement.queue.quota import inadmissible
from baygrid.core.placement.search import STANDARD, Scene, Search, judged
from baygrid.core.reasons import JSON, Explanation, Reason, Verdict
from baygrid.core.units import Money

ALL: Final = 24
"""In a region with more offers a stored explanation has only some of those that could run the job,"""
SHOWN: Final = 8
"""so many of the best."""

_BEST: Final = {"cost": "the cheapest", "time": "the soonest done", "energy": "the cleanest"}
_BORROWED: Final = Reason("quota", "its queue would have had to borrow quota there")


@dataclass(frozen=True, slots=True)
class Line:
    """A candidate, its position in `Judged` (None: of no model that the job asks for), its obstacles."""

    it: Candidate
    position: int | None
    found: tuple[Reason, ...]


def placed(
    image: Image,
    table: OfferTable,
    search: Search,
    chosen: int,
    count: int,
    cost: int,
) -> Explanation:
    """Why a job went where it did; `chosen` is a position in `Judged`. `image` as it is when this is asked:
    its offers and totals count, not what is free in it."""
    demand, it = search.demand, search.judged
    ranks = {position: rank for rank, position in enumerate(it.ranked.tolist())}
    best = _at(image, table, demand, it, chosen)
    lines = []
    for candidate, position in _considered(image, table, demand, it, chosen):
        found: tuple[Reason, ...] = ()
        if position is None or position not in ranks:
            found = judged(STANDARD, demand, candidate)
        elif ranks[position] > ranks[chosen]:
            found = (_outranked(it, best, chosen, candidate, position),)
        elif ranks[position] < ranks[chosen] and position in search.refused:
            found = (search.refused[position],)
        elif ranks[position] < ranks[chosen]:
            need = it.needs[int(it.place[position])]
            found = judged(STANDARD, demand, candidate)
            found = found or obstacles(search.scene, demand, candidate, need, ()) or (_BORROWED,)
        lines.append(Line(candidate, position, found))
    order = _BEST[demand.prefer]
    if demand.ordered or demand.infra.ordered:
        order = "the first in the job's order"
    if demand.waited_at is not None and not demand.waited_at.covers(*best.where):
        order = f"after it waited too long for {demand.waited_at}, {order}"
    number = len(it.ranked)
    text = f"placed on {best.subject} for {Money(cost, demand.currency)} at its full time: " + (
        f"{order} with room, of {number} that could run it" if number > 1 else "no other could run it"
    )
    if count < demand.nodes:
        text += f"; on {count} of up to {demand.nodes} nodes"
    text += labour.said(it.figures, chosen) + carriage.said(
        demand, best.centre, table.policy, demand.currency
    )
    data = {**figures(table, it, lines, best.subject, {}), "nodes": count}
    return Explanation(Reason("placed", text, data), _verdicts(lines))


def lines_of(image: Image, scene: Scene, demand: Demand, it: Judged, kept: Iterable[Kept]) -> list[Line]:
    """Every candidate with all that stands in the way now."""
    barred = inadmissible(scene.table.policy, demand)
    kept = list(kept)
    passing = set(it.ranked.tolist())
    lines = []
    for candidate, position in _considered(image, scene.table, demand, it, None):
        found = judged(STANDARD, demand, candidate)
        if barred is not None:
            found += (barred,)
        if position is not None and position in passing:
            need = it.needs[int(it.place[position])]
            found += obstacles(scene, demand, candidate, need, kept)
        lines.append(Line(candidate, position, found))
    return lines


def best_free(it: Judged, lines: Iterable[Line]) -> Line | None:
    """The best candidate that nothing stands in the way of."""
    free = {line.position: line for line in lines if not line.found}
    return next((free[position] for position in it.ranked.tolist() if position in free), None)


def fits_now(table: OfferTable, it: Judged, lines: list[Line], best: Line) -> Explanation:
    text = f"can start now on {best.it.subject} for {best.it.cost} at its full time"
    if best.position is not None:
        text += labour.said(it.figures, best.position)
    text += carriage.said(it.figures.demand, best.it.centre, table.policy, it.figures.demand.currency)
    return Explanation(
        Reason("fits-now", text, figures(table, it, lines, best.it.subject, {})), _verdicts(lines)
    )


def waits(
    table: OfferTable,
    it: Judged,
    lines: list[Line],
    more: Mapping[str, JSON],
    says: str,
    starts: Mapping[int, int],
    now: int,
) -> Explanation:
    """`more` and `says`: figures and a sentence about its turn; `starts`: expected start (ms) by position."""
    data = {**figures(table, it, lines, None, starts, now), **more}
    later = [line for line in lines if not any(map(never, line.found))]
    # What would be over soonest is told: candidates that lack nothing but room, else all that may come.
    current = [line for line in later if {r.code for r in line.found} <= _NOW]
    codes = {reason.code for line in current for reason in line.found}
    subjects = [line.it.subject for line in (current or later)]
    names = ", ".join(subjects[:3]) + (" and others" if len(subjects) > 3 else "")
    if not later:
        text = "nothing in the region can run it as it is" if lines else "the region offers nothing yet"
        return Explanation(Reason("never-fits", text, data), _verdicts(lines))
    code, text = "waits-for-centre", f"waits until {names} can be used again"
    if codes and codes <= {"quota", "quota-kept"}:
        code, text = "waits-for-quota", f"waits for quota: {_first(current, codes)}"
    elif codes and codes <= {"kept", "reserved", "quota-kept", "quota"}:
        code, text = "waits-for-turn", f"waits: {_first(current, codes)}"
    elif codes and codes <= {"pending"}:
        code, text = "waits-for-centre", f"waits for the centre: {_first(current, codes)}"
    elif current:
        code, text = "waits-for-room", f"waits for room on {names}"
    return Explanation(Reason(code, text + says, data), _verdicts(lines))


_NOW: Final = frozenset({"busy", "reserved", "kept", "pending", "quota", "quota-kept"})
"""Obstacles of a candidate whose centre can be used."""


def _first(lines: Iterable[Line], codes: set[str]) -> str:
    return next(reason.text for line in lines for reason in line.found if reason.code in codes)


def figures(
    table: OfferTable,
    it: Judged,
    lines: Iterable[Line],
    best: str | None,
    starts: Mapping[int, int],
    now: int = 0,
) -> dict[str, JSON]:
    """`costs`: the numbers of each priced candidate of a model that the job asks for. `starts`: when it is
    expected to begin there (ms), by position."""
    rows: list[JSON] = []
    by = it.figures
    for line in lines:
        n, offer = line.position, line.it.offer
        if n is None or offer is None:
            continue
        co2 = int(by.mg_co2[n])
        row: dict[str, JSON] = {
            "subject": line.it.subject,
            "offer": offer.id,
            "cost_minor": line.it.cost_minor,
            "currency": offer.currency,
            "wait_s": max(int(by.wait_s[n]), -(-(starts[n] - now) // 1000) if n in starts else 0),
            "centre_wait_s": None if by.told_s[n] < 0 else int(by.told_s[n]),
            "start_ms": starts.get(n),
            "transfer_s": int(by.transfer_s[n]),
            "run_s": int(by.run_s[n]),
            "gco2": None if co2 == UNKNOWN else co2 / 1000,
            "voucher": "none",
        }
        trades: list[JSON] = [deal.of for deal in it.figures.demand.deals if deal.offer == offer.id]
        if trades:
            row["trades"] = trades
        if it.figures.demand.input_bytes and line.it.centre is not None:
            row["link"] = carriage.figures(line.it.centre, table.policy)
        if it.figures.demand.work is not None:
            row["work"] = labour.figures(by, n)
        rows.append(row)
    return {"best": best, "costs": rows}


def _considered(
    image: Image, table: OfferTable, demand: Demand, it: Judged, chosen: int | None
) -> Iterator[tuple[Candidate, int | None]]:
    """Candidates with their position. Every one, or for a stored explanation in a large region those that
    could run the job, best first, up to `SHOWN` and the one that was `chosen`."""
    if chosen is not None and len(image.offers) > ALL:
        shown = it.ranked[:SHOWN].tolist()
        for position in shown if chosen in shown else [*shown, chosen]:
            yield _at(image, table, demand, it, position), position
        return
    positions = {
        (table.offers[offer].id, place): n
        for n, (offer, place) in enumerate(zip(it.offer.tolist(), it.place.tolist(), strict=True))
    }
    for candidate in candidates(image, demand):
        offer = candidate.offer
        place = candidate.preference
        known = offer is not None and place is not None
        yield candidate, positions.get((offer.id, place)) if known and offer and place is not None else None


def _at(image: Image, table: OfferTable, demand: Demand, it: Judged, position: int) -> Candidate:
    offer, place = table.offers[it.offer[position]], int(it.place[position])
    suffix = f" ({offer.id})" if offer.id in table.repeated else ""
    return offered(
        image, demand, offer, place, int(it.accelerators[position]), suffix, int(it.share[position])
    )


def _verdicts(lines: Iterable[Line]) -> tuple[Verdict, ...]:
    return tuple(Verdict(line.it.subject, line.found) for line in lines)


def _outranked(judged: Judged, best: Candidate, chosen: int, it: Candidate, position: int) -> Reason:
    demand, policy = judged.figures.demand, judged.figures.table.policy
    more = it.cost_minor - best.cost_minor
    currency = it.offer.currency if it.offer else ""
    if demand.waited_at is not None and demand.waited_at.covers(*it.where):
        text = f"costs {it.cost}; its own queue has kept the job waiting for too long"
    elif demand.work is not None:
        text = labour.outranked(judged.figures, position, chosen, best.subject)
        text += labour.said(judged.figures, position)
    elif more > 0:
        text = f"costs {it.cost}, {Money(more, currency)} more than {best.subject}"
    elif more < 0:
        less = Money(-more, currency)
        text = f"costs {it.cost}, {less} less than {best.subject}, which the job asks for first"
    else:
        text = f"costs {it.cost}, as much as {best.subject}"
    text += carriage.said(demand, it.centre, policy, currency)
    return Reason(OUTRANKED, text, {"cost_minor": it.cost_minor, "more_minor": more})
