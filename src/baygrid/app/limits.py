"""Attempts whose hold will not last for their whole time, because a dearer tariff begins while they run: when
each must be told to stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from baygrid.app.costs import usage_so_far
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.core.pricing.charge import Consumption, backdated
from baygrid.core.pricing.hold import KILL_WAIT_S
from baygrid.core.pricing.limit import is_covered, stop_at
from baygrid.ports.basics import Instant
from baygrid.ports.records import AttemptRecord, Offer, Want

NOTICE_MS: Final = 5_000
"""Until its centre has heard of it: the leader looks once a second, and the agent's request is parked."""
AT_ONCE: Final = 200
"""Reckoned in one step of the leader, a few tenths of a second."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held for a job's attempt (minor units), for how long it may run, and what it brings."""

    hold: int
    time_s: int
    input_bytes: int


def limit_of(attempt: AttemptRecord, offer: Offer, held: Held) -> Instant | None:
    """When it must be told to stop; None: its hold lasts, or it does not run."""
    if not _runs(attempt):
        return None
    used = _used(attempt, held)
    tariffs = backdated(offer.tariffs, [used])
    longest, ending = held.time_s * 1000, _ending_ms(attempt)
    return stop_at(used, tariffs, held.hold, longest, ending, NOTICE_MS, attempt.covers)


def _runs(attempt: AttemptRecord) -> bool:
    wanted = attempt.want is Want.RUN and attempt.state is AttemptState.RUNNING
    return wanted and attempt.started_at is not None


def _used(attempt: AttemptRecord, held: Held) -> Consumption:
    return usage_so_far(attempt, attempt.started_at or 0, held.input_bytes)


def _ending_ms(attempt: AttemptRecord) -> int:
    return (attempt.grace_s + KILL_WAIT_S) * 1000


class Limits:
    """Of all live attempts. What is reckoned is kept until the attempt, its hold or its offer's tariffs
    change."""

    def __init__(self) -> None:
        self._offers: Mapping[str, Offer] = {}
        self._held: dict[str, Held] = {}  # by job
        self._open: dict[str, AttemptRecord] = {}  # their hold may not last: to be reckoned
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
        self.drop(attempt.id)
        offer, held = self._offers.get(attempt.offer), self._held.get(attempt.job)
        if offer is None or held is None or not _runs(attempt):
            return
        used = _used(attempt, held)
        end = used.start_ms + held.time_s * 1000 + _ending_ms(attempt)
        if not is_covered(used, backdated(offer.tariffs, [used]), held.hold, end, attempt.covers):
            self._open[attempt.id] = attempt

    def drop(self, attempt: str) -> None:
        self._open.pop(attempt, None)
        self._due.pop(attempt, None)

    def due(self, now: Instant) -> list[str]:
        """Attempts that must be told now. It reckons some at a time: a tariff that is announced for thousands
        is announced long enough before."""
        for id in list(islice(self._open, AT_ONCE)):
            attempt = self._open.pop(id)
            offer, held = self._offers.get(attempt.offer), self._held.get(attempt.job)
            at = limit_of(attempt, offer, held) if offer is not None and held is not None else None
            if at is not None:
                self._due[id] = at
        return [attempt for attempt, at in self._due.items() if at <= now]
