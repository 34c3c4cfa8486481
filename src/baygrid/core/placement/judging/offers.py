"""All offers as arrays, and what they are to one shape: which pass every filter that looks at totals, and in
what order they are best. The filters of `filters` say why one does not; both must agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np

from baygrid.core.cost import Footprint, cost_at
from baygrid.core.placement.demand import ANYWHERE, Bar, Demand, Infra, Target
from baygrid.core.placement.image import Image, OfferView
from baygrid.core.placement.judging.candidates import GANG, cost_minor, spot_left
from baygrid.core.placement.judging.scorers import Figures
from baygrid.core.placement.links import speed
from baygrid.core.placement.policy import Policy
from baygrid.core.placement.room.nodes import FOREVER, Bools, Ints, Need, NodeTable
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.units import DECIMALS, HOUR_S, MIB_PER_GIB

_SAFE: Final = 1 << 62
_NOWHERE: Final = 1 << 30
_Options: TypeAlias = tuple[tuple[str | None, int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One shape at every offer of a model that it asks for; arrays of one length, in the order of the offers.

    `place`: of the accelerator in the demand's list; `accelerators`: per node; `share`: thousandths of each.
    `fitting`: nodes large enough. `most`: nodes that it would get if all were free. `cost`: minor units for
    its full time on `most` nodes. `ranked`: the positions that pass, best first.
    """

    offer: Ints
    place: Ints
    accelerators: Ints
    share: Ints
    pool: Ints
    fitting: Ints
    most: Ints
    cost: Ints
    figures: Figures
    ranked: Ints
    needs: tuple[Need, ...]


class OfferTable:
    """Made once for an image's layout, a policy and an hour of the day (carbon and energy have hours)."""

    def __init__(self, image: Image, nodes: NodeTable, policy: Policy, hour: int) -> None:
        self.nodes = nodes
        self.policy = policy
        self.hour = hour
        self.offers = tuple(o for o in image.offers if (o.centre, o.partition) in image.pools)
        offers = self.offers
        self.repeated = _repeated(offers)
        self.pool: Ints = np.array([nodes.number[o.centre, o.partition] for o in offers], dtype=np.int64)
        limits = [image.pools[o.centre, o.partition].partition.time_limit_s for o in offers]
        self.limit: Ints = np.array([FOREVER if n is None else n for n in limits], dtype=np.int64)
        self.waits = tuple(image.centres[o.centre].waits for o in offers)
        self.links = {name: speed(centre.link, policy.centre(name)) for name, centre in image.centres.items()}
        self._jurisdictions = [image.centres[o.centre].jurisdiction for o in offers]
        models = {o.accelerator for o in offers}
        self._by_model: dict[str | None, Ints] = {
            model: np.array([n for n, o in enumerate(offers) if o.accelerator == model], dtype=np.int64)
            for model in models
        }
        self._by_centre: dict[str, list[int]] = {}
        for n, o in enumerate(offers):
            self._by_centre.setdefault(o.centre, []).append(n)
        self._by_id = {o.id: [n] for n, o in enumerate(offers)}
        self._infra: dict[Infra, Ints] = {}
        self._by_asked: dict[_Options, tuple[Ints, Ints, Ints, Ints, Ints, Ints]] = {}
        self._lawful: dict[tuple[frozenset[str] | None, tuple[Bar, ...]], Bools] = {}
        self._centres = [image.centres[o.centre] for o in offers]
        self._says_what_it_can = any(centre.capabilities is not None for centre in self._centres)
        self._able: dict[frozenset[str], Bools] = {}
        self._currency: dict[str, Bools] = {}
        self._kinds = _KindTable(image, nodes)

    def _infra_order(self, infra: Infra) -> Ints:
        """The place of the first target that covers each offer; `_NOWHERE` where it may not run."""
        found = self._infra.get(infra)
        if found is None:
            found = np.full(len(self.offers), _NOWHERE if infra.targets else 0, dtype=np.int64)
            for place, target in reversed(list(enumerate(infra.targets))):
                found[self._covered(target)] = place
            for target in infra.avoid:
                found[self._covered(target)] = _NOWHERE
            self._infra[infra] = found
        return found

    def _covered(self, target: Target) -> list[int]:
        mine = self._by_centre.get(target.centre, [])
        return [n for n in mine if target.partition in (None, self.offers[n].partition)]

    def _may_hold(self, residency: frozenset[str] | None, bars: tuple[Bar, ...]) -> Bools:
        """Where the job's data may be, by what the job says and by the law."""
        found = self._lawful.get((residency, bars))
        if found is None:
            barred = {bar.jurisdiction for bar in bars}
            may = [
                name not in barred and (residency is None or name in residency)
                for name in self._jurisdictions
            ]
            found = self._lawful[residency, bars] = np.array(may, dtype=np.bool_)
        return found

    def _can(self, needed: frozenset[str]) -> Bools:
        found = self._able.get(needed)
        if found is None:
            found = np.array([not centre.lacks(needed) for centre in self._centres], dtype=np.bool_)
            self._able[needed] = found
        return found

    def _paid_in(self, currency: str) -> Bools:
        found = self._currency.get(currency)
        if found is None:
            found = np.array([o.currency == currency for o in self.offers], dtype=np.bool_)
            self._currency[currency] = found
        return found

    @cached_property
    def _rates(self) -> tuple[tuple[Ints, Ints, int, int], ...]:
        """Numerator and denominator of the prices of an accelerator, a cpu and a GiB for an hour, and the
        largest of both."""
        found = []
        for name in ("accelerator_hour", "cpu_hour", "gib_hour"):
            prices = [getattr(o.rate, name) for o in self.offers]
            over = [
                p.numerator * 10 ** DECIMALS[o.currency] for p, o in zip(prices, self.offers, strict=True)
            ]
            under = [p.denominator for p in prices]
            largest, deepest = max(map(abs, over), default=0), max(under, default=1)
            dtype = np.int64 if max(largest, deepest) < _SAFE else object
            found.append((np.array(over, dtype=dtype), np.array(under, dtype=dtype), largest, deepest))
        return tuple(found)

    @cached_property
    def _with_terms(self) -> Bools | None:
        """Offers that have more than rates; None: no offer has."""
        found = np.array([o.rate.terms is not None for o in self.offers], dtype=np.bool_)
        return found if found.any() else None

    def costs(
        self, offer: Ints, demand: Demand, accelerators: Ints, share: Ints, nodes: Ints, seconds: Ints
    ) -> Ints:
        """As `core.cost.cost_at`, for arrays: at offers that have only rates all at once."""
        total = self._by_rates(offer, demand, accelerators, share, nodes, seconds)
        among = self._apart(offer, demand)
        if not among:
            return total
        asked = (offer, nodes, accelerators, share, seconds)
        exact = [
            _cost(self.offers[number], demand, *figures)
            for number, *figures in zip(*(each[among].tolist() for each in asked), strict=True)
        ]
        if max(exact, default=0) >= _SAFE:
            total = total.astype(object)
        total[among] = exact
        return total

    def _apart(self, offer: Ints, demand: Demand) -> list[int]:
        """Places among `offer` of those that have more than rates, or of which something was bought ahead."""
        apart = np.zeros(len(self.offers), dtype=np.bool_)
        if self._with_terms is not None:
            apart |= self._with_terms
        for deal in demand.deals:
            apart[self._by_id.get(deal.offer, [])] = True
        return [int(n) for n in apart[offer].nonzero()[0]]

    def _by_rates(
        self, offer: Ints, demand: Demand, accelerators: Ints, share: Ints, nodes: Ints, seconds: Ints
    ) -> Ints:
        """Exact, in Python's own numbers where 64 bits could overflow."""
        unit = WHOLE if demand.shares else 1
        devices = accelerators * share if demand.shares else accelerators
        times = seconds * nodes
        longest = int(times.max(initial=0))
        total: Ints = np.zeros(len(offer), dtype=np.int64)
        amounts: tuple[tuple[Ints | int, int], ...] = (
            (devices, HOUR_S * unit),
            (demand.cpus, HOUR_S),
            (demand.memory_mib, HOUR_S * MIB_PER_GIB),
        )
        for (over, under, largest, deepest), (amount, per) in zip(self._rates, amounts, strict=True):
            most = amount if isinstance(amount, int) else int(amount.max(initial=0))
            fits = over.dtype != object and under.dtype != object
            if fits and largest * most * longest < _SAFE and deepest * per < _SAFE:
                total -= -over[offer] * amount * times // (under[offer] * per)
            else:
                exact = -over[offer].astype(object) * amount * times.astype(object)
                total = total.astype(object) - exact // (under[offer].astype(object) * per)
        return total

    def judge(self, demand: Demand) -> Judged:
        """Every offer of the models that the demand asks for."""
        options = demand.options
        offer, place, accelerators, share, pool, limit = self._asked(options)
        by_option = [self._kinds.fitting(demand, model, count) for model, count, _ in options]
        fitting = by_option[0][pool] if len(options) == 1 else np.array(by_option)[place, pool]
        least = demand.least
        passing = fitting >= least
        passing &= limit >= demand.time_s
        passing &= self._paid_in(demand.currency)[offer]
        if self._says_what_it_can:
            able = [self._can(demand.needed(model, share)) for model, _, share in options]
            passing &= able[0][offer] if len(options) == 1 else np.array(able)[place, offer]
        if demand.residency is not None or demand.bars:
            passing &= self._may_hold(demand.residency, demand.bars)[offer]
        keys: list[Ints] = []
        if demand.waited_at is not None:
            keys.append(np.isin(offer, self._covered(demand.waited_at)).astype(np.int64))
        if demand.infra != ANYWHERE:
            order = self._infra_order(demand.infra)[offer]
            passing &= order < _NOWHERE
            if demand.infra.ordered:
                keys.append(order)
        most = np.minimum(np.maximum(fitting, least), demand.nodes)
        if self._says_what_it_can and least < demand.nodes:
            most = np.where(self._can(GANG)[offer], most, least)
        if demand.max_cost_minor is not None and least < demand.nodes:
            most = self._affordable(offer, demand, accelerators, share, most)
        seconds = np.full(len(offer), demand.time_s, dtype=np.int64)
        cost = self.costs(offer, demand, accelerators, share, most, seconds)
        if demand.max_cost_minor is not None:
            passing &= cost <= demand.max_cost_minor
        if demand.spot:
            passing &= self._has_spot(demand, offer, accelerators, share, most)
        figures = Figures(self, demand, offer, accelerators, share, most, cost)
        if demand.ordered:
            keys.append(place)
        keys += figures.keys
        best = np.lexsort((offer, *(_comparable(key) for key in reversed(keys))))
        needs = tuple(self.nodes.need(demand.cpus, demand.memory_mib, *option) for option in options)
        ranked = best[passing[best]]
        asked = (offer, place, accelerators, share, pool)
        return Judged(*asked, fitting, most, cost, figures, ranked, needs)

    def _has_spot(self, demand: Demand, offer: Ints, accelerators: Ints, share: Ints, most: Ints) -> Bools:
        """Where all of the job has a spot price."""
        found = [
            spot_left(demand, self.offers[number], *had) >= 0
            for number, *had in zip(*(it.tolist() for it in (offer, accelerators, share, most)), strict=True)
        ]
        return np.array(found, dtype=np.bool_)

    def _asked(self, options: _Options) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
        """Offers of these models: with place in the list, number on each node and thousandths of each, pool
        and time limit."""
        found = self._by_asked.get(options)
        if found is None:
            none = np.zeros(0, dtype=np.int64)
            by_option = [self._by_model.get(model, none) for model, _, _ in options]
            sizes = [len(rows) for rows in by_option]
            offer = np.concatenate(by_option)
            place = np.repeat(np.arange(len(options), dtype=np.int64), sizes)
            accelerators = np.repeat(np.array([count for _, count, _ in options], dtype=np.int64), sizes)
            share = np.repeat(np.array([part for _, _, part in options], dtype=np.int64), sizes)
            found = (offer, place, accelerators, share, self.pool[offer], self.limit[offer])
            self._by_asked[options] = found
        return found

    def _affordable(self, offer: Ints, demand: Demand, accelerators: Ints, share: Ints, most: Ints) -> Ints:
        """The most nodes whose cost is within the demand's limit, at least its least."""
        limit = demand.max_cost_minor or 0
        found = most.copy()
        for n, number in enumerate(offer):
            it = self.offers[number]
            each, part = int(accelerators[n]), int(share[n])
            while found[n] > demand.least and cost_minor(it, demand, each, int(found[n]), part) > limit:
                found[n] -= 1
        return found


def _cost(offer: OfferView, demand: Demand, nodes: int, accelerators: int, share: int, seconds: int) -> int:
    had = (demand.cpus, demand.memory_mib, accelerators, share, demand.input_bytes)
    return cost_at(offer.rate, offer.currency, Footprint(nodes, *had), seconds, demand.bought(offer.id))


class _KindTable:
    """The different nodes of every pool by their totals."""

    def __init__(self, image: Image, nodes: NodeTable) -> None:
        kinds = [
            (pool, node, number)
            for pool, where in enumerate(nodes.where)
            for node, number in image.pools[where].kinds
        ]
        self._pools = len(nodes.where)
        self._pool = np.array([pool for pool, _, _ in kinds], dtype=np.int64)
        self._number = np.array([number for _, _, number in kinds], dtype=np.int64)
        self._cpus = np.array([node.cpus for _, node, _ in kinds], dtype=np.int64)
        self._memory = np.array([node.memory_mib for _, node, _ in kinds], dtype=np.int64)
        self._accelerators = {
            model: np.array([node.accelerators.get(model, 0) for _, node, _ in kinds], dtype=np.int64)
            for model in nodes.models
        }

    def fitting(self, demand: Demand, model: str | None, count: int) -> Ints:
        """By pool: how many nodes hold one node of the demand when they are empty."""
        mask = (self._cpus >= demand.cpus) & (self._memory >= demand.memory_mib)
        if model is not None:
            has = self._accelerators.get(model)
            mask &= has >= count if has is not None else count <= 0
        fits = np.bincount(self._pool[mask], self._number[mask], self._pools)
        return fits.astype(np.int64)


def _comparable(key: Ints) -> Ints:
    """Numbers beyond 64 bits by their rank."""
    if key.dtype != object:
        return key
    ranks = {value: rank for rank, value in enumerate(sorted(set(key.tolist())))}
    return np.array([ranks[value] for value in key.tolist()], dtype=np.int64)


def _repeated(offers: Iterable[OfferView]) -> frozenset[str]:
    """Ids of offers of a partition and model that an earlier one offers too."""
    seen: set[tuple[str, str, str | None]] = set()
    repeated = []
    for offer in offers:
        what = (offer.centre, offer.partition, offer.accelerator)
        if what in seen:
            repeated.append(offer.id)
        seen.add(what)
    return frozenset(repeated)
