"""What an offer's prices say besides its rates: what is billed at least, what energy and inputs cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from baygrid.core.reasons import JSON
from baygrid.core.units import exact

HOURS: Final = 24
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
KWH: Final = 1_000_000 * HOUR_MS
"""Milliwatts times milliseconds."""


@dataclass(frozen=True, slots=True)
class Energy:
    """`price_kwh`: major units for a kWh in each of the 24 hours of the day, by a clock that is
    `utc_offset_min` minutes ahead of UTC all year. `watts_cpu`, `watts_accelerator`: nominal, of one that an
    attempt has for itself, at work or not. `dearest`: of the prices; `varies`: there are several.

    Raises ValueError for other than 24 prices.
    """

    price_kwh: tuple[Fraction, ...]
    watts_cpu: int
    watts_accelerator: int
    utc_offset_min: int
    dearest: Fraction = field(init=False, repr=False, compare=False)
    varies: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.price_kwh) != HOURS:
            raise ValueError(f"energy has a price for each of 24 hours, not {len(self.price_kwh)}")
        object.__setattr__(self, "dearest", max(self.price_kwh))
        object.__setattr__(self, "varies", len(set(self.price_kwh)) > 1)

    def milliwatts(self, nodes: int, cpus: int, accelerators: int, accelerator_share: int) -> int:
        """What such an attempt counts as; `accelerator_share` in thousandths."""
        return nodes * (
            self.watts_cpu * cpus * 1000 + self.watts_accelerator * accelerators * accelerator_share
        )

    def stretches(self, start: int, end: int) -> Iterator[tuple[Fraction, int, int]]:
        """[start, end) (milliseconds since 1970, UTC) as (price, from, to), split where the price changes."""
        shift, since = self.utc_offset_min * MINUTE_MS, start
        first, last = (start + shift) // HOUR_MS, (end - 1 + shift) // HOUR_MS
        for hour in range(first, last):
            price = self.price_kwh[hour % HOURS]
            if price != self.price_kwh[(hour + 1) % HOURS]:
                edge = (hour + 1) * HOUR_MS - shift
                yield price, since, edge
                since = edge
        if since < end:
            yield self.price_kwh[last % HOURS], since, end


@dataclass(frozen=True, slots=True)
class Terms:
    """`minimum_s`: an attempt that began is charged for so many seconds at least. `round_up_s`: its time is
    rounded up to a whole number of so many seconds (0: it is charged to the millisecond). `egress_gib`: major
    units for a GiB of inputs that came over a link for it."""

    minimum_s: int = 0
    round_up_s: int = 0
    egress_gib: Fraction = Fraction(0)
    energy: Energy | None = None

    def billed_s(self, seconds: int) -> int:
        """Of so many whole seconds, how many are charged."""
        return self.billed_ms(seconds * 1000) // 1000

    def billed_ms(self, ms: int) -> int:
        """Of so many milliseconds, how many are charged."""
        least = max(ms, self.minimum_s * 1000)
        step = self.round_up_s * 1000
        return -(-least // step) * step if step else least

    def to_json(self) -> dict[str, JSON]:
        """Exact: fractions are texts such as "1/4"."""
        energy = self.energy
        return {
            "minimum_s": self.minimum_s,
            "round_up_s": self.round_up_s,
            "egress_gib": exact(self.egress_gib),
            "energy": None
            if energy is None
            else {
                "price_kwh": [exact(price) for price in energy.price_kwh],
                "watts_cpu": energy.watts_cpu,
                "watts_accelerator": energy.watts_accelerator,
                "utc_offset_min": energy.utc_offset_min,
            },
        }


def terms_of(document: Mapping[str, Any]) -> Terms:
    """What `Terms.to_json` wrote. Raises KeyError, ValueError."""
    energy = document.get("energy")
    return Terms(
        document["minimum_s"],
        document["round_up_s"],
        Fraction(document["egress_gib"]),
        energy
        and Energy(
            tuple(map(Fraction, energy["price_kwh"])),
            energy["watts_cpu"],
            energy["watts_accelerator"],
            energy["utc_offset_min"],
        ),
    )
