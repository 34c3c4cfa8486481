"""Joins what other subjects know into placement's own words: job files to demands, records to the image."""

from __future__ import annotations

from collections.abc import Iterable

from baygrid.core.jobs.infra import Place
from baygrid.core.jobs.spec import JobSpec
from baygrid.core.placement.demand import Demand, Infra, Target
from baygrid.core.placement.image import CentreView, Node, OfferView, Partition, Placement, Rate
from baygrid.core.pricing.tariff import Tariff, in_force
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, CentreRecord, CentreState, Offer

SILENT_MS = 30_000
"""A centre whose agent has not reported for so long gets nothing new; what it runs is left alone."""


def demand_of(job: str, currency: str, spec: JobSpec) -> Demand:
    """What one job asks for. Demands of the same shape are equal but for `job` and `project`."""
    infra = Infra(
        tuple(map(_target, spec.infra.places)), spec.infra.ordered, tuple(map(_target, spec.infra.avoid))
    )
    return Demand(
        job=job,
        project=spec.project,
        currency=currency,
        nodes=spec.nodes,
        cpus=spec.resources.cpus,
        memory_mib=spec.resources.memory,
        time_s=spec.time,
        accelerators=tuple((a.model, a.count) for a in spec.resources.accelerators),
        ordered=spec.resources.ordered,
        infra=infra,
        residency=frozenset(spec.residency) or None,
        max_cost_minor=None if spec.max_cost is None else spec.max_cost.minor,
    )


def _target(place: Place) -> Target:
    return Target(place.centre, place.partition or None)


def silent_s(seen_at: Instant | None, now: Instant) -> int | None:
    """Seconds of silence of a centre that counts as unreachable, else None."""
    if seen_at is None:
        return 0
    return (now - seen_at) // 1000 if now - seen_at > SILENT_MS else None


def partitions_of(centre: CentreRecord) -> tuple[Partition, ...]:
    """A centre's partitions as its agent declared them."""
    return tuple(
        Partition(
            centre.name,
            part.name,
            tuple(Node(n.name, n.cpus, n.memory_mib, dict(n.accelerators)) for n in part.nodes),
            part.time_limit_s,
        )
        for part in centre.inventory
    )


def centre_view(
    centre: CentreRecord, partitions: tuple[Partition, ...], seen_at: Instant | None, now: Instant
) -> CentreView:
    """`partitions` is handed in, so that an unchanged centre keeps the same tuple."""
    return CentreView(
        centre.name,
        centre.jurisdiction,
        centre.state is CentreState.OPEN,
        silent_s(seen_at, now),
        partitions,
    )


def offer_views(offers: Iterable[Offer], now: Instant) -> list[OfferView]:
    """Offers whose first tariff has begun, at the rates in force."""
    views = []
    for offer in offers:
        tariff = in_force(offer.tariffs, now)
        if tariff is not None:
            rate = rate_of(tariff)
            views.append(
                OfferView(offer.id, offer.centre, offer.partition, offer.accelerator, offer.currency, rate)
            )
    return views


def rate_of(tariff: Tariff) -> Rate:
    return Rate(tariff.accelerator_hour, tariff.cpu_hour, tariff.gib_hour)


def placement_of(attempt: AttemptRecord) -> Placement:
    """What a live attempt occupies."""
    return Placement(
        attempt.id,
        attempt.centre,
        attempt.partition,
        attempt.nodes,
        attempt.cpus,
        attempt.memory_mib,
        attempt.accelerator,
        attempt.accelerators,
    )
