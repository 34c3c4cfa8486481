"""The search for one shape within one plan: its candidates are judged once, then taken from, best first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baygrid.core.placement.candidates import Candidate, candidates
from baygrid.core.placement.demand import Demand
from baygrid.core.placement.filters import FILTERS, OUTRANKED, Filter, busy, never
from baygrid.core.placement.image import Image
from baygrid.core.placement.room import Finder, Floor
from baygrid.core.placement.scorers import SCORERS, Scorer, rank
from baygrid.core.reasons import JSON, Explanation, Reason, Verdict
from baygrid.core.units import Money


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a candidate must pass, and what makes one better than another."""

    filters: tuple[Filter, ...] = FILTERS
    scorers: tuple[Scorer, ...] = SCORERS


STANDARD: Final = Pipeline()


def judged(pipeline: Pipeline, demand: Demand, it: Candidate) -> tuple[Reason, ...]:
    """Every obstacle of a candidate, but what is free now."""
    return tuple([reason for test in pipeline.filters if (reason := test(demand, it)) is not None])


class Floors(dict[tuple[str, str], Floor]):
    """The overlay on an image: one floor for each partition that was looked at."""

    def __init__(self, image: Image) -> None:
        super().__init__()
        self._image = image

    def __missing__(self, where: tuple[str, str]) -> Floor:
        floor = self[where] = Floor(self._image.pools[where])
        return floor


class Search:
    """One shape's way through its candidates. One that was busy stays so: a plan only takes room, never
    gives."""

    def __init__(self, image: Image, demand: Demand, pipeline: Pipeline, floors: Floors) -> None:
        self.demand = demand
        self._floors = floors
        self._obstacles = {it: judged(pipeline, demand, it) for it in candidates(image, demand)}
        self._ranked = sorted(
            (it for it, obstacles in self._obstacles.items() if not obstacles),
            key=lambda it: rank(pipeline.scorers, demand, it),
        )
        self._next = 0
        self._finder: Finder | None = None
        self._explanation: Explanation | None = None

    def take(self) -> tuple[Candidate, tuple[str, ...]] | None:
        """The best candidate with room for all nodes, which are taken; None: none has."""
        while self._next < len(self._ranked):
            it = self._ranked[self._next]
            if self._finder is None:
                self._finder = self._find(it)
            nodes = self._finder.find(self.demand.nodes)
            full = busy(self.demand, it, len(nodes))
            if full is None:
                self._finder.take(nodes)
                return it, nodes
            self._obstacles[it] = (full,)
            self._next += 1
            self._finder = self._explanation = None
        return None

    def _find(self, it: Candidate) -> Finder:
        demand = self.demand
        return Finder(self._floors[it.where], demand.cpus, demand.memory_mib, it.accelerator, it.accelerators)

    def explanation(self) -> Explanation:
        """Of what `take` last answered. The same instance until another candidate's turn comes."""
        if self._explanation is None:
            if self._next < len(self._ranked):
                self._explanation = self._placed(self._ranked[self._next])
            else:
                self._explanation = self._waits()
        return self._explanation

    def full_table(self) -> Explanation:
        """As if the demand came next, with every candidate's room counted. Takes nothing."""
        for it in self._ranked:
            full = busy(self.demand, it, len(self._find(it).find(self.demand.nodes)))
            if full is not None:
                self._obstacles[it] = (full,)
        free = [it for it in self._ranked if not self._obstacles[it]]
        if free:
            fits = Reason("fits-now", f"can start now on {_offered(free[0])}", self._figures(free[0]))
            return Explanation(fits, self._verdicts(self._obstacles))
        return self._waits()

    def _placed(self, best: Candidate) -> Explanation:
        lower = {it: (_outranked(best, it),) for it in self._ranked[self._next + 1 :]}
        order = (
            "the first in the job's order"
            if self.demand.ordered or self.demand.infra.ordered
            else "the cheapest"
        )
        count = len(self._ranked)
        text = f"placed on {_offered(best)}: " + (
            f"{order} with room, of {count} that could run it" if count > 1 else "no other could run it"
        )
        return Explanation(
            Reason("placed", text, self._figures(best)), self._verdicts(self._obstacles | lower)
        )

    def _waits(self) -> Explanation:
        later = [it for it, found in self._obstacles.items() if not any(map(never, found))]
        names = ", ".join(it.subject for it in later[:3]) + (" and others" if len(later) > 3 else "")
        if self._ranked:
            names = ", ".join(it.subject for it in self._ranked[:3]) + (
                " and others" if len(self._ranked) > 3 else ""
            )
            outcome = Reason("waits-for-room", f"waits for room on {names}", self._figures(None))
        elif later:
            outcome = Reason(
                "waits-for-centre", f"waits until {names} can be used again", self._figures(None)
            )
        else:
            text = (
                "nothing in the region can run it as it is"
                if self._obstacles
                else "the region offers nothing yet"
            )
            outcome = Reason("never-fits", text, self._figures(None))
        return Explanation(outcome, self._verdicts(self._obstacles))

    def _figures(self, best: Candidate | None) -> dict[str, JSON]:
        table: list[JSON] = [
            {
                "subject": it.subject,
                "offer": it.offer.id,
                "cost_minor": it.cost_minor,
                "currency": it.offer.currency,
            }
            for it in self._obstacles
            if it.offer is not None and it.preference is not None
        ]
        return {"best": best.subject if best else None, "costs": table}

    def _verdicts(self, obstacles: dict[Candidate, tuple[Reason, ...]]) -> tuple[Verdict, ...]:
        return tuple(Verdict(it.subject, found) for it, found in obstacles.items())


def _offered(it: Candidate) -> str:
    return f"{it.subject} for {it.cost} at its full time"


def _outranked(best: Candidate, it: Candidate) -> Reason:
    more = it.cost_minor - best.cost_minor
    currency = it.offer.currency if it.offer else ""
    if more > 0:
        text = f"costs {it.cost}, {Money(more, currency)} more than {best.subject}"
    elif more < 0:
        less = Money(-more, currency)
        text = f"costs {it.cost}, {less} less than {best.subject}, which the job asks for first"
    else:
        text = f"costs {it.cost}, as much as {best.subject}"
    return Reason(OUTRANKED, text, {"cost_minor": it.cost_minor, "more_minor": more})
