"""What of an offer was bought ahead for a job, or is there at a spot price: other than by the tariff."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from baygrid.core.cost import Bought


@dataclass(frozen=True, slots=True)
class Deal:
    """By a trade, or a spot listing, `of` this id a job may have `units` thousandths of a unit of `offer` at
    `rate` major units for a unit for an hour, for its first `seconds`; with each unit `cpus` and MiB."""

    of: str
    offer: str
    units: int
    seconds: int
    rate: Fraction
    cpus: int
    memory_mib: int

    @property
    def bought(self) -> Bought:
        return Bought(self.units, self.seconds, self.rate, self.cpus, self.memory_mib)
