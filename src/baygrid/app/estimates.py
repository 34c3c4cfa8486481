"""How long a job would wait in a centre's own queue: asked of its scheduler, believed for a few minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from baygrid.core.placement.image import Shape
from baygrid.core.placement.inquiring import ESTIMATE
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Forecast, Inquiry, Report
from baygrid.ports.records import CentreRecord
from baygrid.ports.store import Tx

ASK_EVERY_MS: Final = 30_000
ASKED_MS: Final = 90_000
"""The leader asks again before that: what nobody asks for any more is not asked of an engine for ever."""
FRESH_MS: Final = 300_000
"""What was said longer ago counts for nothing."""
LONGEST_S: Final = 10 * 365 * 86_400
AT_ONCE_S: Final = 10
"""A scheduler that would start it within so many seconds has room for it now."""

NOTHING_TOLD: Final[Mapping[str, Sequence[Forecast]]] = {}


def exchange(tx: Tx, centre: CentreRecord, report: Report, now: Instant) -> tuple[Inquiry, ...]:
    """Keeps what the report answers, and returns what to ask. Only what was asked for is kept."""
    if ESTIMATE not in (centre.capabilities or ()):
        return ()
    asked = tx.estimates.asked(centre.name, now - ASKED_MS)
    told = [one for one in report.waits[: len(asked)] if one.inquiry in asked and _can_be(one.wait_s)]
    if told:
        tx.estimates.tell(centre.name, told, now)
    return asked


def _can_be(wait_s: int | None) -> bool:
    return wait_s is None or 0 <= wait_s <= LONGEST_S


def waits_of(told: Sequence[Forecast]) -> dict[Shape, int]:
    """In placement's own words. Rounded up to minutes, since a plan is made anew when it changes."""
    found = {}
    for one in told:
        if one.wait_s is not None:
            it = one.inquiry
            size = (it.count, it.cpus, it.memory_mib, it.accelerator, it.accelerators, it.time_s)
            found[Shape(it.partition, *size)] = -(-one.wait_s // 60) * 60 if one.wait_s > AT_ONCE_S else 0
    return found


def inquiries_of(shapes: Mapping[Shape, str]) -> tuple[Inquiry, ...]:
    """As they are sent."""
    return tuple(
        Inquiry(
            project,
            it.partition,
            it.nodes,
            it.cpus,
            it.memory_mib,
            it.accelerator,
            it.accelerators,
            it.time_s,
        )
        for it, project in shapes.items()
    )
