"""What an operator says of a tariff besides its rates, and whether that can be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from baygrid.app.problems import Invalid
from baygrid.core.terms import HOURS, Energy, Terms
from baygrid.core.units import HOUR_S

LONGEST_S: Final = 24 * HOUR_S
"""The largest minimum, and the largest step of rounding up."""
MOST_WATTS: Final = 1_000_000

_PRICE: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class EnergyRates:
    """`price_kwh`: 24 decimal texts, for each hour of the day by a clock that is `utc_offset` ("+08:00")
    ahead of UTC. Nominal watts of one cpu and one accelerator."""

    price_kwh: Sequence[str]
    utc_offset: str
    watts_cpu: int = 0
    watts_accelerator: int = 0

    def energy(self) -> Energy:
        """Raises Invalid."""
        if len(self.price_kwh) != HOURS:
            count = len(self.price_kwh)
            raise Invalid.at("energy.price_kwh", f"has {count} prices: say one for each of the 24 hours")
        prices = [rate(f"energy.price_kwh[{n}]", text) for n, text in enumerate(self.price_kwh)]
        for name, watts in (("watts_cpu", self.watts_cpu), ("watts_accelerator", self.watts_accelerator)):
            _check(f"energy.{name}", watts, MOST_WATTS, "W")
        if not self.watts_cpu and not self.watts_accelerator:
            raise Invalid.at("energy", "say how many watts a cpu, an accelerator or both count as")
        return Energy(tuple(prices), self.watts_cpu, self.watts_accelerator, _minutes(self.utc_offset))


def terms(minimum_s: int, round_up_s: int, egress_gib: str, energy: EnergyRates | None) -> Terms | None:
    """None where there is nothing but rates. Raises Invalid."""
    _check("minimum_s", minimum_s, LONGEST_S, "seconds")
    _check("round_up_s", round_up_s, LONGEST_S, "seconds")
    found = Terms(
        minimum_s, round_up_s, rate("egress_gib", egress_gib), None if energy is None else energy.energy()
    )
    return found if found != Terms() else None


def rate(path: str, text: str) -> Fraction:
    """A price as people write it. Raises Invalid."""
    if _PRICE.fullmatch(text) is None:
        raise Invalid.at(path, f"must be a price such as 0.25, with at most 9 decimals, not {text[:40]!r}")
    return Fraction(text)


def _check(path: str, number: int, most: int, unit: str) -> None:
    if not 0 <= number <= most:
        raise Invalid.at(path, f"must be a whole number from 0 to {most} {unit}")


def _minutes(text: str) -> int:
    found = _OFFSET.fullmatch(text)
    minutes = int(found[2]) * 60 + int(found[3]) if found is not None else LONGEST_S
    if found is None or minutes > 14 * 60:
        raise Invalid.at("energy.utc_offset", f"must be hours and minutes such as +08:00, not {text[:40]!r}")
    return -minutes if found[1] == "-" else minutes
