"""What attempts cost: usage records, and those that still run, in pricing's own words."""

from __future__ import annotations

from collections.abc import Sequence

from baygrid.core.pricing.charge import Consumption, backdated
from baygrid.core.pricing.contracts import Cover, Covered, charges
from baygrid.ports.basics import Instant
from baygrid.ports.messages import Usage
from baygrid.ports.records import AttemptRecord, Offer


def prices(records: Sequence[Usage], offer: Offer, covers: Sequence[Cover] = ()) -> list[Covered]:
    """What each usage record of one attempt costs that took these `covers` of trades, all of them in the
    order of their numbers."""
    used = list(map(consumption_of, records))
    return charges(used, backdated(offer.tariffs, used), covers)


def consumption_of(usage: Usage) -> Consumption:
    """A usage record in pricing's own words."""
    return Consumption(
        usage.start,
        usage.end,
        usage.nodes,
        usage.cpus,
        usage.memory_mib,
        usage.accelerator,
        usage.accelerators,
        usage.accelerator_share,
        usage.egress_bytes,
    )


def running_cost(attempt: AttemptRecord, offer: Offer, now: Instant) -> int:
    """What a live attempt would cost if it ended now, in minor units; of what came for it as far as it is
    told."""
    if attempt.started_at is None or attempt.started_at >= now:
        return 0
    used = usage_so_far(attempt, now)
    (cost,) = charges([used], backdated(offer.tariffs, [used]), attempt.covers)
    return cost.charge.total.minor


def usage_so_far(attempt: AttemptRecord, end: Instant, input_bytes: int = 0) -> Consumption:
    """Of one that began, as if it ended at `end`. `input_bytes` are taken to come over a link, more where
    more is told."""
    assert attempt.started_at is not None
    return Consumption(
        attempt.started_at,
        end,
        attempt.count,
        attempt.cpus,
        attempt.memory_mib,
        attempt.accelerator,
        attempt.accelerators,
        attempt.accelerator_share,
        max(attempt.staged_bytes, input_bytes),
    )
