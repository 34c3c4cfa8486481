"""Joins what other subjects know into placement's own words: job files to demands, records to the image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final, TypeAlias

from baygrid.core.jobs.checkpoint import PLAIN
from baygrid.core.jobs.infra import Place
from baygrid.core.jobs.spec import JobSpec
from baygrid.core.placement.demand import Bar, Demand, Infra, Prefer, Target
from baygrid.core.placement.image import CentreView, Node, OfferView, Partition, Placement, Rate, Shape
from baygrid.core.placement.links import Measured, fresh
from baygrid.core.placement.policy import PRIORITIES, SPOT
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.placement.work import Pace, Work
from baygrid.core.pricing.tariff import Tariff, in_force
from baygrid.core.rating.judging import fresh as fresh_rating
from baygrid.core.rating.value import Rating
from baygrid.core.rating.yardsticks import PROFILES
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, CentreRecord, CentreState, Offer, RatingRow, Want

Rated: TypeAlias = tuple[str, str, str | None]
"""Centre, partition and model: what an offer is for, and a rating of."""

NO_WAITS: Final[Mapping[Shape, int]] = {}

TRANSFER_STEP: Final = 16 << 20
"""What jobs bring is counted in steps of so many bytes, so that they stay alike."""

SILENT_MS = 30_000
"""A centre whose agent has not reported for so long gets nothing new; what it runs is left alone."""


def in_steps(input_bytes: int) -> int:
    return -(-input_bytes // TRANSFER_STEP) * TRANSFER_STEP


def demand_of(
    job: str,
    currency: str,
    spec: JobSpec,
    organisation: str = "",
    user: str = "",
    submitted_at: Instant = 0,
    input_bytes: int = 0,
    waited_at: str = "",
    bars: tuple[Bar, ...] = (),
) -> Demand:
    """What one job asks for; `waited_at` and `bars` as of its row."""
    infra = Infra(
        tuple(map(_target, spec.infra.places)), spec.infra.ordered, tuple(map(_target, spec.infra.avoid))
    )
    asked = spec.resources.accelerators
    return Demand(
        job=job,
        project=spec.project,
        currency=currency,
        nodes=spec.nodes,
        cpus=spec.resources.cpus,
        memory_mib=spec.resources.memory,
        time_s=spec.time,
        accelerators=tuple((a.model, a.count) for a in asked),
        shares=() if all(a.share == WHOLE for a in asked) else tuple(a.share for a in asked),
        ordered=spec.resources.ordered,
        infra=infra,
        residency=frozenset(spec.residency) or None,
        max_cost_minor=None if spec.max_cost is None else spec.max_cost.minor,
        min_nodes=spec.min_nodes,
        grace_s=spec.checkpoint.grace,
        input_bytes=input_bytes,
        prefer=Prefer(spec.prefer),
        organisation=organisation,
        user=user,
        queue=spec.queue,
        priority=SPOT if spec.spot else PRIORITIES[spec.priority],
        submitted_at=submitted_at,
        deadline=spec.deadline,
        checkpointed=spec.checkpoint.path is not None,
        needs=_needs(spec),
        waited_at=Target(*waited_at.split("/", 1)) if waited_at else None,
        work=None if spec.work is None else Work(spec.work.unit, spec.work.thousandths),
        spot=spec.spot,
        bars=bars,
    )


def _needs(spec: JobSpec) -> frozenset[str]:
    """What its centre must be able to do, besides what the job's size asks for."""
    asks = {
        "image": spec.image is not None,
        "secrets": bool(spec.secrets),
        "checkpoint": spec.checkpoint.path is not None or spec.checkpoint.signal != PLAIN.signal,
    }
    return frozenset(word for word, asked in asks.items() if asked)


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
    centre: CentreRecord,
    partitions: tuple[Partition, ...],
    seen_at: Instant | None,
    now: Instant,
    waits: Mapping[Shape, int] = NO_WAITS,
    measured: Measured | None = None,
) -> CentreView:
    """`partitions` is handed in, so that an unchanged centre keeps the same tuple. `measured`:
    its link."""
    return CentreView(
        centre.name,
        centre.jurisdiction,
        centre.state is CentreState.OPEN,
        silent_s(seen_at, now),
        partitions,
        waits,
        centre.capabilities,
        None if measured is None else fresh(measured, now),
    )


def by_place(rows: Iterable[RatingRow]) -> dict[Rated, list[Rating]]:
    """Ratings by what an offer is for."""
    found: dict[Rated, list[Rating]] = {}
    for row in rows:
        found.setdefault(row.signed.rating.place, []).append(row.signed.rating)
    return found


def offer_views(
    offers: Iterable[Offer], ratings: Mapping[Rated, Sequence[Rating]], now: Instant
) -> list[OfferView]:
    """Offers whose first tariff has begun, at the rates in force, with what is measured of them by the
    profiles that centres are compared by. `ratings`: the newest, by place."""
    views = []
    for offer in offers:
        tariff = in_force(offer.tariffs, now)
        if tariff is not None:
            rate = rate_of(tariff)
            place = (offer.centre, offer.partition, offer.accelerator)
            paces = {
                it.unit: Pace(Fraction(it.units_per_hour) / it.devices, it.profile, it.measured_at)
                for it in ratings.get(place, ())
                if it.profile == PROFILES[it.unit] and fresh_rating(it, now)
            }
            views.append(OfferView(offer.id, *place, offer.currency, rate, paces))
    return views


def rate_of(tariff: Tariff) -> Rate:
    return Rate(tariff.accelerator_hour, tariff.cpu_hour, tariff.gib_hour, tariff.terms)


def placement_of(attempt: AttemptRecord, demand: Demand | None) -> Placement:
    """What a live attempt occupies, and whose it is (`demand` None: its job is not known here yet)."""
    occupied = Placement(
        attempt.id,
        attempt.centre,
        attempt.partition,
        attempt.nodes,
        attempt.cpus,
        attempt.memory_mib,
        attempt.accelerator,
        attempt.accelerators,
        count=attempt.count,
        job=attempt.job,
        project=attempt.project,
        placed_at=attempt.placed_at,
        started_at=attempt.started_at,
        stopping=attempt.want is Want.STOP,
        accelerator_share=attempt.accelerator_share,
        accelerator_slots=attempt.accelerator_slots,
    )
    if demand is None:
        return occupied
    return replace(
        occupied,
        organisation=demand.organisation,
        user=demand.user,
        queue=demand.queue,
        priority=demand.priority,
        checkpointed=demand.checkpointed,
        expected=demand.expected,
        ends_by=(attempt.started_at or attempt.placed_at) + demand.occupies_ms,
    )


def told_wait_s(attempt: AttemptRecord) -> int | None:
    """How long it would wait in the centre's own queue, as was said when it was placed; None: nobody knew."""
    told = attempt.reasons.get("outcome", {}).get("data", {})
    costs = told.get("costs", ())
    return next((row.get("wait_s") for row in costs if row["subject"] == told.get("best")), None)
