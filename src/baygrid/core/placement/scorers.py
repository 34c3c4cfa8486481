"""What makes one offer better than another, by what the job prefers: price, time or energy.

Every column is an estimate from declared values: ratings scale the run time, links tell the transfer, the
hour of the day tells carbon and energy price. The smallest first difference of `keys` wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from baygrid.core.placement.demand import Demand, Prefer
from baygrid.core.placement.nodes import Ints
from baygrid.core.placement.policy import CentrePolicy, Policy
from baygrid.core.units import DECIMALS

if TYPE_CHECKING:
    from baygrid.core.placement.offers import OfferTable

UNKNOWN: Final = 1 << 60
"""A figure that nobody declared: worse than every declared one."""
_GIB: Final = 1 << 30
_JOULES_KWH: Final = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """By candidate: seconds the centre says one would wait, seconds of transfer, seconds of the run as
    predicted, minor units for run and transfer, milligrams of CO2 and thousandths of a minor unit of energy
    (both `UNKNOWN` where nothing is declared). `keys`: what is compared, most important first."""

    wait_s: Ints
    transfer_s: Ints
    run_s: Ints
    price: Ints
    mg_co2: Ints
    energy: Ints
    keys: tuple[Ints, ...]


def score(table: OfferTable, demand: Demand, offer: Ints, accelerators: Ints, nodes: Ints) -> Figures:
    """Of each candidate: an offer, accelerators for each node, nodes."""
    policy = table.policy
    run_s = _run_seconds(policy, demand, [table.offers[n].accelerator for n in offer], accelerators)
    wait_s = table.waits[offer]
    transfer_s, carriage = _transfer(table, demand, offer)
    price = table.costs(offer, demand, accelerators, nodes, run_s) + carriage
    mg_co2, energy = _energy(table, demand, offer, accelerators, nodes, run_s)
    keys: tuple[Ints, ...]
    if demand.prefer is Prefer.TIME:
        keys = (wait_s + transfer_s + run_s, price)
    elif demand.prefer is Prefer.ENERGY:
        keys = (mg_co2, energy, price)
    else:
        keys = (price,)
    return Figures(wait_s, transfer_s, run_s, price, mg_co2, energy, keys)


def _run_seconds(policy: Policy, demand: Demand, models: list[str | None], accelerators: Ints) -> Ints:
    """The full time on the weakest set that the job names, less where the set is stronger. Sets are only
    compared where every model of the job has a declared rating."""
    full = np.full(len(models), demand.time_s, dtype=np.int64)
    asked = demand.accelerators
    if len(asked) < 2 or any(model not in policy.flavors for model, _ in asked):
        return full
    powers = {model: policy.flavors[model].rating for model, _ in asked}
    weakest = min(powers[model] * count for model, count in asked)
    seconds = [
        ceil(demand.time_s * weakest / (powers[model or ""] * int(count)))
        for model, count in zip(models, accelerators, strict=True)
    ]
    return np.array(seconds, dtype=np.int64)


def _transfer(table: OfferTable, demand: Demand, offer: Ints) -> tuple[Ints, Ints]:
    """Seconds and minor units to bring the inputs there."""
    zeros = np.zeros(len(offer), dtype=np.int64)
    if not demand.input_bytes:
        return zeros, zeros
    offers = [table.offers[n] for n in offer]
    links = [table.policy.centre(o.centre) for o in offers]
    seconds = [-(-demand.input_bytes * 8 // (it.mbit_s * 10**6)) if it.mbit_s else 0 for it in links]
    prices = [
        ceil(it.gib_price * demand.input_bytes * 10 ** DECIMALS[o.currency] / _GIB)
        for it, o in zip(links, offers, strict=True)
    ]
    return np.array(seconds, dtype=np.int64), np.array(prices, dtype=np.int64)


def _energy(
    table: OfferTable, demand: Demand, offer: Ints, accelerators: Ints, nodes: Ints, run_s: Ints
) -> tuple[Ints, Ints]:
    policy = table.policy
    unknown = np.full(len(offer), UNKNOWN, dtype=np.int64)
    if not any(it.carbon_g_kwh or it.energy_price_kwh for it in policy.centres.values()):
        return unknown, unknown
    co2, price = unknown.copy(), unknown.copy()
    for n, number in enumerate(offer):
        it = table.offers[number]
        centre = policy.centre(it.centre)
        watts = policy.flavor(it.accelerator).watts * int(accelerators[n]) if it.accelerator else 0
        watts += centre.watts_cpu * demand.cpus
        kwh = Fraction(watts * int(nodes[n]) * int(run_s[n]), _JOULES_KWH) * centre.pue
        if centre.carbon_g_kwh:
            co2[n] = round(kwh * _now(centre.carbon_g_kwh, table.hour) * 1000)
        if centre.energy_price_kwh:
            minor = 10 ** DECIMALS[it.currency]
            price[n] = round(kwh * _now(centre.energy_price_kwh, table.hour) * minor * 1000)
    return co2, price


def _now(by_hour: tuple[int, ...] | tuple[Fraction, ...], hour: int) -> Fraction:
    return Fraction(by_hour[hour % len(by_hour)])


def declared(policy: Policy) -> bool:
    """Whether anything depends on the hour of the day."""
    return any(_hourly(it) for it in policy.centres.values())


def _hourly(it: CentrePolicy) -> bool:
    return bool(it.carbon_g_kwh or it.energy_price_kwh)
