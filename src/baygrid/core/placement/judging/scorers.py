"""What makes one offer better than another, by what the job prefers: price, time or energy.

Every figure is an estimate: ratings (measured, of the job's work; else declared, of models of accelerators)
scale the run time, links tell the transfer (measured where that is
fresh, else as declared), the hour of the day tells carbon and energy price.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from baygrid.core.placement.demand import Demand, Prefer
from baygrid.core.placement.image import OfferView, Shape
from baygrid.core.placement.judging.waits import expected
from baygrid.core.placement.policy import Policy
from baygrid.core.placement.room.nodes import Ints
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.placement.work import takes_s
from baygrid.core.units import DECIMALS

if TYPE_CHECKING:
    from baygrid.core.placement.judging.offers import OfferTable

UNKNOWN: Final = 1 << 60
"""A figure that nobody declared: worse than every declared one."""
_GIB: Final = 1 << 30
_JOULES_KWH: Final = 3_600_000


@dataclass(frozen=True, eq=False)
class Figures:
    """Of one demand's candidates: arrays of one length, made when they are asked for. `nodes`: that it would
    have there, `cost` for its full time."""

    table: OfferTable
    demand: Demand
    offer: Ints
    accelerators: Ints
    share: Ints
    nodes: Ints
    cost: Ints

    @cached_property
    def keys(self) -> tuple[Ints, ...]:
        """What the demand prefers, most important first: the smallest first difference wins. Before all else
        comes that its work is expected to be done in its time."""
        return self._preferred if self.demand.work is None else (self.late, *self._preferred)

    @property
    def _preferred(self) -> tuple[Ints, ...]:
        if self.demand.prefer is Prefer.TIME:
            return (self.wait_s + self.transfer_s + self.run_s, self.price)
        if self.demand.prefer is Prefer.ENERGY:
            return (*self._energy, self.price)
        return (self.price,)

    @cached_property
    def wait_s(self) -> Ints:
        """What the centres say one would wait, 0 where they say nothing."""
        return np.maximum(self.told_s, 0)

    @cached_property
    def told_s(self) -> Ints:
        """What the centres say one would wait, -1 where they say nothing."""
        found = np.full(len(self.offer), -1, dtype=np.int64)
        for n, offer in enumerate(self.offer.tolist()):
            told = self.table.waits[offer]
            wait = expected(told, self.shape(n)) if told else None
            if wait is not None:
                found[n] = wait
        return found

    def shape(self, n: int) -> Shape:
        """What it would have at the n-th candidate."""
        offer, demand = self.table.offers[int(self.offer[n])], self.demand
        each = int(self.accelerators[n]) if offer.accelerator is not None else 0
        size = (int(self.nodes[n]), demand.cpus, demand.memory_mib)
        return Shape(offer.partition, *size, offer.accelerator, each, demand.time_s)

    @cached_property
    def work_s(self) -> Ints:
        """What its work takes by what was measured there, -1 where nothing was; perhaps above its time."""
        found = np.full(len(self.offer), -1, dtype=np.int64)
        work = self.demand.work
        for n, it in enumerate(self._offers if work is not None else ()):
            pace = it.paces.get(work.unit) if work is not None else None
            if pace is not None and work is not None:
                found[n] = takes_s(work, pace, self._devices(n))
        return found

    def _devices(self, n: int) -> Fraction:
        """Of the n-th candidate, on all its nodes: accelerators, or cpus of a plain job."""
        nodes = int(self.nodes[n])
        if self._offers[n].accelerator is None:
            return Fraction(nodes * self.demand.cpus)
        return Fraction(nodes * int(self.accelerators[n]) * int(self.share[n]), WHOLE)

    @cached_property
    def late(self) -> Ints:
        """1 where its work is expected to take more than its time, after which it is stopped."""
        found: Ints = (self.work_s > self.demand.time_s).astype(np.int64)
        return found

    @cached_property
    def run_s(self) -> Ints:
        """By its work where that says, never more than its time."""
        if self.demand.work is None:
            return self._by_time
        worked = np.minimum(self.work_s, self.demand.time_s)
        return np.where(self.work_s >= 0, worked, self._by_time)

    @cached_property
    def _by_time(self) -> Ints:
        """The full time on the weakest set that the job names, less where the set is stronger. Sets are only
        compared where every model of the job has a declared rating."""
        time_s, asked, flavors = self.demand.time_s, self.demand.options, self.table.policy.flavors
        if not self._rated:
            return np.full(len(self.offer), time_s, dtype=np.int64)
        powers = [flavors[model or ""].rating * count * share for model, count, share in asked]
        by_set = {
            asking: ceil(time_s * min(powers) / power) for asking, power in zip(asked, powers, strict=True)
        }
        sets = zip(self.offer.tolist(), self.accelerators.tolist(), self.share.tolist(), strict=True)
        offers = self.table.offers
        lasts = [by_set[offers[n].accelerator, count, share] for n, count, share in sets]
        return np.array(lasts, dtype=np.int64)

    @property
    def _rated(self) -> bool:
        asked, flavors = self.demand.accelerators, self.table.policy.flavors
        return len(asked) > 1 and all(model in flavors for model, _ in asked)

    @cached_property
    def run_cost(self) -> Ints:
        """Minor units for the run as predicted."""
        if not self._rated and self.demand.work is None:
            return self.cost
        had = (self.accelerators, self.share)
        return self.table.costs(self.offer, self.demand, *had, self.nodes, self.run_s)

    @cached_property
    def price(self) -> Ints:
        """Minor units for the run as predicted, and for the transfer."""
        cost = self.run_cost
        if not self.demand.input_bytes:
            return cost
        carriage = [
            ceil(
                _declared(self.table.policy, it)
                * self.demand.input_bytes
                * 10 ** DECIMALS[it.currency]
                / _GIB
            )
            for it in self._offers
        ]
        return cost + np.array(carriage, dtype=np.int64)

    @cached_property
    def transfer_s(self) -> Ints:
        if not self.demand.input_bytes:
            return np.zeros(len(self.offer), dtype=np.int64)
        links = [self.table.links[it.centre] for it in self._offers]
        return np.array([link.transfer_s(self.demand.input_bytes) for link in links], dtype=np.int64)

    @property
    def mg_co2(self) -> Ints:
        """Milligrams, `UNKNOWN` where no carbon is declared."""
        return self._energy[0]

    @cached_property
    def _energy(self) -> tuple[Ints, Ints]:
        """Carbon, and thousandths of a minor unit for energy."""
        policy, hour = self.table.policy, self.table.hour
        co2 = np.full(len(self.offer), UNKNOWN, dtype=np.int64)
        price = co2.copy()
        for n, it in enumerate(self._offers if hour >= 0 else ()):
            centre = policy.centre(it.centre)
            watts = Fraction(centre.watts_cpu * self.demand.cpus)
            if it.accelerator is not None:
                each = policy.flavor(it.accelerator).watts * int(self.accelerators[n])
                watts += Fraction(each * int(self.share[n]), WHOLE)
            kwh = Fraction(watts * int(self.nodes[n]) * int(self.run_s[n]), _JOULES_KWH) * centre.pue
            if centre.carbon_g_kwh:
                co2[n] = round(kwh * _now(centre.carbon_g_kwh, hour) * 1000)
            if centre.energy_price_kwh:
                minor = 10 ** DECIMALS[it.currency]
                price[n] = round(kwh * _now(centre.energy_price_kwh, hour) * minor * 1000)
        return co2, price

    @cached_property
    def _offers(self) -> list[OfferView]:
        return [self.table.offers[n] for n in self.offer.tolist()]


def _declared(policy: Policy, offer: OfferView) -> Fraction:
    """Of a GiB over its centre's link, where the offer does not charge for that: then it is in its cost."""
    terms = offer.rate.terms
    return policy.centre(offer.centre).gib_price if terms is None or not terms.egress_gib else Fraction(0)


def _now(by_hour: tuple[int, ...] | tuple[Fraction, ...], hour: int) -> Fraction:
    return Fraction(by_hour[hour % len(by_hour)])


def hourly(policy: Policy) -> bool:
    """Whether anything depends on the hour of the day."""
    return any(it.carbon_g_kwh or it.energy_price_kwh for it in policy.centres.values())
