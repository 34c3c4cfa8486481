"""Whether the store answers, and the region in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.demand import silent_s
from baygrid.app.platform import Platform
from baygrid.core.jobs.lifecycle import JobState
from baygrid.ports.basics import Instant
from baygrid.ports.jobs import Unended
from baygrid.ports.records import CentreRecord
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Standing:
    """The region at a glance. `leads_until` (ms): the leader's lease, 0 where nobody leads. `queued`,
    `active`, `held`: jobs; `held` by `ports.records.Held`. `oldest`: when the first that is queued was
    submitted. `late`: centres that had reported and have not lately, with the seconds; `new`: whose agent
    never has."""

    term: int
    leader: str
    leads_until: Instant
    queued: int
    active: int
    held: dict[str, int]
    oldest: Instant | None
    centres: int
    late: dict[str, int]
    new: tuple[str, ...]

    def led(self, now: Instant) -> bool:
        """Whether some server plans."""
        return self.leads_until > now


def current_term(platform: Platform) -> int:
    """The leader's term as the store has it now: one row, so that a busy region is never taken for a broken
    one. Raises whatever the store raises when it does not answer."""
    return platform.store.read(lambda tx: tx.leadership.current()[0])


def jobs_by_state(platform: Platform) -> dict[JobState, int]:
    """Counts every job there is."""
    return platform.store.read(lambda tx: tx.jobs.count_by_state())


def standing(platform: Platform, actor: Actor) -> Standing:
    """For operators."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def load(tx: Tx) -> tuple[tuple[int, str, Instant], list[Unended], dict[str, CentreRecord]]:
        return tx.leadership.current(), tx.jobs.unended(), tx.region.centres()

    (term, leader, until), jobs, centres = platform.store.read(load)
    of = {state: [it for it in jobs if it.state is state] for state in JobState}
    held = {it.cause or "": it.number for it in of[JobState.HELD]}
    silent = {name: silent_s(row.seen_at, now) for name, row in sorted(centres.items())}
    new = tuple(name for name in silent if centres[name].seen_at is None)
    return Standing(
        term,
        leader,
        until,
        sum(it.number for it in of[JobState.QUEUED]),
        sum(it.number for it in of[JobState.ACTIVE]),
        held,
        min((it.oldest for it in of[JobState.QUEUED]), default=None),
        len(centres),
        {name: seconds for name, seconds in silent.items() if seconds is not None and name not in new},
        new,
    )
