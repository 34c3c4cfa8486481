"""When a running attempt has to be told to stop, so that it ends within what is held for it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from baygrid.core.cost import Footprint, cost_at
from baygrid.core.pricing.charge import Consumption, charges
from baygrid.core.pricing.tariff import Tariff, in_force


def stop_at(
    begun: Consumption,
    tariffs: Sequence[Tariff],
    hold: int,
    longest_ms: int,
    ending_ms: int,
    notice_ms: int,
) -> int | None:
    """The last moment (ms since 1970) at which the attempt can be told so that its charge does not pass
    `hold` (minor units). It is heard of after `notice_ms`, and the end takes up to `ending_ms`: grace and
    kill wait. None: all of its `longest_ms` and the end after that fit.

    `begun` says since when it runs and what it has; its end counts for nothing. `tariffs`: oldest first, also
    those that are only announced; the first has begun. One that is too late already is told at once.
    """
    start = begun.start_ms

    def passes(end: int) -> bool:
        (cost,) = charges([replace(begun, end_ms=end)], tariffs)
        return cost.total.minor > hold

    end = start + longest_ms + ending_ms
    if _is_covered(begun, tariffs, hold, end) or not passes(end):
        return None
    first = bisect_left(
        range(longest_ms), True, key=lambda told: passes(start + told + notice_ms + ending_ms)
    )
    return start + max(0, first - 1)


def _is_covered(begun: Consumption, tariffs: Sequence[Tariff], hold: int, end: int) -> bool:
    """What is so of nearly all attempts, found out quickly: one tariff all the time, and the hold is for
    that."""
    tariff = in_force(tariffs, begun.start_ms)
    if tariff is None or tariff is not in_force(tariffs, end):
        return False
    it = begun
    had = (it.cpus, it.memory_mib, it.accelerators, it.accelerator_share, it.egress_bytes)
    seconds = -(-(end - it.start_ms) // 1000)
    return cost_at(tariff, tariff.currency, Footprint(it.nodes, *had), seconds) <= hold
