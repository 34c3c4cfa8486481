"""When a running attempt has to be told to stop, so that it ends within what is held for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from baygrid.core.cost import Footprint, cost_at
from baygrid.core.pricing.charge import Consumption
from baygrid.core.pricing.contracts import Cover, bought, charges
from baygrid.core.pricing.tariff import Tariff, in_force


def stop_at(
    begun: Consumption,
    tariffs: Sequence[Tariff],
    hold: int,
    longest_ms: int,
    ending_ms: int,
    notice_ms: int,
    covers: Sequence[Cover] = (),
) -> int | None:
    """The last moment, to the second (ms since 1970), at which the attempt can be told so that its charge
    does not pass `hold` (minor units). It is heard of after `notice_ms`, and the end takes up to `ending_ms`:
    grace and kill wait. None: all of its `longest_ms` and the end after that fit.

    `begun` says since when it runs and what it has; its end counts for nothing. `tariffs`: oldest first, also
    those that are only announced; the first has begun. `covers`: what it took of trades. One that is too late
    already is told at once.
    """
    start = begun.start_ms
    end = start + longest_ms + ending_ms
    if is_covered(begun, tariffs, hold, end, covers) or _cost(begun, tariffs, end, covers) <= hold:
        return None

    def over(told_s: int) -> int:
        """By how much it passes what is held."""
        return _cost(begun, tariffs, start + told_s * 1000 + notice_ms + ending_ms, covers) - hold

    return start + _last_within(over, longest_ms // 1000) * 1000


def _cost(begun: Consumption, tariffs: Sequence[Tariff], end: int, covers: Sequence[Cover]) -> int:
    """Of what is held for the job."""
    (cost,) = charges([replace(begun, end_ms=end)], tariffs, covers)
    return cost.charge.total.minor - cost.ahead


def _last_within(over: Callable[[int], int], longest: int) -> int:
    """The last of 0, 1, ... `longest` for which `over` is not above 0, else 0. `over` never falls, and mostly
    grows evenly: a guess by that comes near in few steps, and halving in turn makes sure of it."""
    low, high = 0, longest
    at_low, at_high = over(low), over(high)
    if at_low > 0 or at_high <= 0:
        return low if at_low > 0 else high
    halve = False
    while high - low > 1:
        guess = low - at_low * (high - low) // (at_high - at_low)
        middle = (low + high) // 2 if halve else min(max(guess, low + 1), high - 1)
        at = over(middle)
        low, at_low, high, at_high = (middle, at, high, at_high) if at <= 0 else (low, at_low, middle, at)
        halve = not halve
    return low


def is_covered(
    begun: Consumption, tariffs: Sequence[Tariff], hold: int, end: int, covers: Sequence[Cover] = ()
) -> bool:
    """What is so of nearly all attempts, found out quickly: one tariff until `end`, and the hold is for that.
    False may yet be one whose hold lasts."""
    tariff = in_force(tariffs, begun.start_ms)
    if tariff is None or tariff is not in_force(tariffs, end):
        return False
    it = begun
    had = (it.cpus, it.memory_mib, it.accelerators, it.accelerator_share, it.egress_bytes)
    seconds = -(-(end - it.start_ms) // 1000)
    return cost_at(tariff, tariff.currency, Footprint(it.nodes, *had), seconds, bought(covers)) <= hold
