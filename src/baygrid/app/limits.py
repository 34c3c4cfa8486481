"""Attempts whose hold will not last for their whole time, because a dearer tariff begins while they run: when
each must be told to stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from baygrid.app.costs import usage_so_far
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.charge import backdated
from baygrid.core.pricing.hold import KILL_WAIT_S
from baygrid.core.pricing.limit import stop_at
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, Offer, Want

NOTICE_MS: Final = 5_000
"""Until its centre has heard of it: the leader looks once a second, and the agent's request is parked."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held for a job's attempt (minor units), for how long it may run, and what it brings."""

    hold: int
    time_s: int
    input_bytes: int


def limit_of(attempt: AttemptRecord, offer: Offer, held: Held) -> Instant | None:
    """When it must be told to stop; None: its hold lasts, or it does not run."""
    begun = attempt.started_at
    if begun is None or attempt.want is not Want.RUN or attempt.state is not AttemptState.RUNNING:
        return None
    used = usage_so_far(attempt, begun, held.input_bytes)
    ending_ms = (attempt.grace_s + KILL_WAIT_S) * 1000
    tariffs = backdated(offer.tariffs, [used])
    return stop_at(used, tariffs, held.hold, held.time_s * 1000, ending_ms, NOTICE_MS)


class Limits:
    """Of all live attempts. What is reckoned is kept until the attempt, its hold or its offer's tariffs
    change."""

    def __init__(self) -> None:
        self._offers: Mapping[str, Offer] = {}
        self._held: dict[str, Held] = {}  # by job
        self._due: dict[str, Instant] = {}

    def follow(self, offers: Mapping[str, Offer], live: Iterable[AttemptRecord]) -> None:
        """New tariffs; `live` attempts may now end sooner."""
        if offers is self._offers:
            return
        before, self._offers = self._offers, offers
        dearer = {id for id, offer in offers.items() if id in before and before[id].tariffs != offer.tariffs}
        for attempt in live if dearer else ():
            if attempt.offer in dearer:
                self.take(attempt)

    def hold(self, job: str, held: Held | None) -> None:
        """None: the job has no live attempt."""
        if held is None:
            self._held.pop(job, None)
        else:
            self._held[job] = held

    def take(self, attempt: AttemptRecord) -> None:
        """How it stands now."""
        offer, held = self._offers.get(attempt.offer), self._held.get(attempt.job)
        at = limit_of(attempt, offer, held) if offer is not None and held is not None else None
        if at is None:
            self._due.pop(attempt.id, None)
        else:
            self._due[attempt.id] = at

    def drop(self, attempt: str) -> None:
        self._due.pop(attempt, None)

    def due(self, now: Instant) -> list[str]:
        """Attempts that must be told now."""
        return [attempt for attempt, at in self._due.items() if at <= now]
