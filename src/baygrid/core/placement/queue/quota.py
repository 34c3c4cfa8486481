"""Quotas: what a queue may have at once of a flavor, and what the queues of a cohort lend to each other.

The rules are Kueue's: of its `nominal` a queue lends at most `lending` while it is idle, and borrows at most
`borrowing` of what others lend. All amounts are thousandths (of an accelerator, or of a cpu for plain jobs).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from baygrid.core.placement.demand import Demand
from baygrid.core.placement.policy import Policy, Quota
from baygrid.core.placement.room.parts import WHOLE
from baygrid.core.reasons import JSON, Reason


@dataclass(frozen=True, slots=True)
class Member:
    """One queue of a cohort, with its quota of one flavor and what it has of it now."""

    queue: str
    quota: Quota
    used: int

    @property
    def own(self) -> int:
        """Of its nominal, what it never lends."""
        lending = self.quota.lending
        return 0 if lending is None else max(0, self.quota.nominal - lending)

    @property
    def borrowed(self) -> int:
        return max(0, self.used - self.quota.nominal)

    @property
    def drawn(self) -> int:
        """What it has of the cohort's pool: its own lendable part and what others lend."""
        return max(0, self.used - self.own)


@dataclass(slots=True)
class Hold:
    """A blocked job gets `amount` of its quota from `start` to `end` (ms). `spare`: what others may still
    have of it at `start`."""

    start: int
    end: int
    amount: int
    spare: int


class Quotas:
    """What queues have while a plan is being made: `used` of the image, and what the plan adds."""

    def __init__(self, policy: Policy, used: Mapping[tuple[str, str], int]) -> None:
        self._policy = policy
        self._used = used
        self._added: Counter[tuple[str, str]] = Counter()
        self._holds: dict[tuple[str, str], list[Hold]] = {}
        self._cohorts: dict[str, list[str]] = {}
        for name, queue in policy.queues.items():
            if queue.cohort is not None:
                self._cohorts.setdefault(queue.cohort, []).append(name)
        self.declared = any(queue.quotas for queue in policy.queues.values())

    def quota(self, queue: str, flavor: str) -> Quota | None:
        """None: not limited."""
        found = self._policy.queue(queue)
        return None if found is None else found.quotas.get(flavor)

    def used(self, queue: str, flavor: str) -> int:
        return self._used.get((queue, flavor), 0) + self._added[queue, flavor]

    def take(self, queue: str, flavor: str, amount: int, end: int = 0) -> None:
        """Negative amounts give back. `end`: when what is taken will be given back (ms)."""
        if amount > 0 and not self._own(queue, flavor, amount):
            for hold in self._holds.get(self.group(queue, flavor), ()):
                if end > hold.start:
                    hold.spare -= amount
        self._added[queue, flavor] += amount

    def _own(self, queue: str, flavor: str, amount: int) -> bool:
        """Whether the queue stays within what it never lends."""
        quota = self.quota(queue, flavor)
        if quota is None or self._cohort(queue) is None:
            return False
        member = Member(queue, quota, self.used(queue, flavor))
        return member.used + amount <= member.own

    def _cohort(self, queue: str) -> str | None:
        found = self._policy.queue(queue)
        return found.cohort if found is not None else None

    def group(self, queue: str, flavor: str) -> tuple[str, str]:
        """Queues that share one hold."""
        cohort = self._cohort(queue)
        return (f"queue {queue}" if cohort is None else f"cohort {cohort}", flavor)

    def members(self, queue: str, flavor: str) -> list[Member]:
        """The queues of its cohort that have a quota of this flavor; itself alone without a cohort."""
        cohort = self._cohort(queue)
        names = [queue] if cohort is None else self._cohorts[cohort]
        return [
            Member(name, quota, self.used(name, flavor))
            for name in names
            if (quota := self.quota(name, flavor)) is not None
        ]

    def room(self, queue: str, flavor: str, borrow: bool = True) -> int | None:
        """How much more the queue may have now; None: not limited. `borrow` False: of its nominal only."""
        quota = self.quota(queue, flavor)
        if quota is None:
            return None
        members = self.members(queue, flavor)
        me = next(member for member in members if member.queue == queue)
        if self._cohort(queue) is None:
            return quota.nominal - me.used
        pool = sum(member.quota.nominal - member.own - member.drawn for member in members)
        room = max(0, me.own - me.used) + pool
        if not borrow:
            return min(room, quota.nominal - me.used)
        if quota.borrowing is not None:
            room = min(room, quota.nominal + quota.borrowing - me.used)
        return room

    def most(self, queue: str, flavor: str) -> int | None:
        """What the queue could have if nobody had anything."""
        quota = self.quota(queue, flavor)
        if quota is None:
            return None
        if self._cohort(queue) is None:
            return quota.nominal
        members = self.members(queue, flavor)
        others = sum(member.quota.nominal - member.own for member in members if member.queue != queue)
        return quota.nominal + (others if quota.borrowing is None else min(others, quota.borrowing))

    def admits(self, queue: str, flavor: str, amount: int, end: int, borrow: bool = True) -> bool:
        """Whether a job that would end at `end` may have it now."""
        room = self.room(queue, flavor, borrow)
        if room is None:
            return True
        if amount > room:
            return False
        holds = self._holds.get(self.group(queue, flavor), ())
        return all(end <= hold.start or amount <= hold.spare for hold in holds) or self._own(
            queue, flavor, amount
        )

    def hold(
        self,
        queue: str,
        flavor: str,
        amount: int,
        releases: Iterable[tuple[int, str, int]],
        now: int,
        time_ms: int,
        keep: bool = True,
    ) -> int | None:
        """The earliest time at which what ends (time, queue, amount) leaves a blocked job so much, beside
        what is kept for others. None: it never will. `keep`: it is kept for that job from then on."""
        holds = self._holds.setdefault(self.group(queue, flavor), [])
        ending = sorted(releases)
        times = sorted({now, *(time for time, _, _ in ending), *(hold.end for hold in holds)})
        for time in times:
            room = self._room_at(queue, flavor, time, ending)
            room -= sum(it.amount for it in holds if it.start < time + time_ms and time < it.end)
            if time >= now and room >= amount:
                if not keep:
                    return time
                for it in holds:
                    if time < it.start < time + time_ms:
                        it.spare -= amount
                holds.append(Hold(time, time + time_ms, amount, room - amount))
                return time
        return None

    def _room_at(self, queue: str, flavor: str, time: int, ending: Iterable[tuple[int, str, int]]) -> int:
        """What the queue may have more once all has ended that ends by `time`."""
        before = self._added.copy()
        for end, other, given in ending:
            if end <= time:
                self._added[other, flavor] -= given
        room = self.room(queue, flavor)
        self._added = before
        assert room is not None, "only a limited queue is refused"
        return room

    def reason(self, queue: str, flavor: str, amount: int) -> Reason | None:
        """Why the queue may not have so much now; None: it may."""
        quota, room = self.quota(queue, flavor), self.room(queue, flavor)
        if quota is None or room is None or amount <= room:
            return None
        used = self.used(queue, flavor)
        data: dict[str, JSON] = {
            "queue": queue,
            "flavor": flavor,
            "asked": amount,
            "used": used,
            "nominal": quota.nominal,
        }
        most = self.most(queue, flavor)
        if most is not None and amount > most:
            text = f"queue {queue} may never have more than {_of(most, flavor)} at once"
            text += f", the job asks for {_of(amount, flavor)}"
            return Reason("over-quota", text, {**data, "most": most})
        text = f"queue {queue} has {_of(used, flavor)} of its {_of(quota.nominal, flavor)}"
        borrowed = max(0, used - quota.nominal)
        if borrowed:
            text += f" ({_of(borrowed, flavor)} of it borrowed)"
        borrowers = [m for m in self.members(queue, flavor) if m.queue != queue and m.borrowed]
        if borrowers:
            text += " and " + ", ".join(f"{m.queue} borrows {_of(m.borrowed, flavor)}" for m in borrowers)
        text += f": {_of(max(0, room), flavor)} are left, the job asks for {_of(amount, flavor)}"
        lent = {m.queue: m.borrowed for m in borrowers}
        return Reason("quota", text, {**data, "borrowed": borrowed, "left": max(0, room), "borrowers": lent})

    def held(self, queue: str, flavor: str, amount: int) -> Reason:
        """Why what is left of the quota may not be used: it is kept for a job whose turn came before."""
        holds = self._holds.get(self.group(queue, flavor), [])
        until = min((hold.start for hold in holds), default=0)
        text = f"what is left of the {flavor} quota of queue {queue} is kept for a job whose turn came before"
        return Reason("quota-kept", text, {"queue": queue, "flavor": flavor, "asked": amount, "until": until})


def _of(amount: int, flavor: str) -> str:
    """3 H100, 0.5 H100, 12 cpu"""
    whole, part = divmod(amount, 1000)
    number = f"{whole}.{part:03}".rstrip("0") if part else str(whole)
    return f"{number} {flavor}"


def amount_of(
    demand: Demand, accelerator: str | None, accelerators: int, nodes: int, share: int = WHOLE
) -> int:
    """What the demand would have of a flavor on so many nodes."""
    return nodes * (share * accelerators if accelerator else WHOLE * demand.cpus)


def inadmissible(policy: Policy, demand: Demand) -> Reason | None:
    """Why the demand's queue never lets it in."""
    queue = policy.queue(demand.queue)
    if queue is None:
        return Reason("queue-unknown", f"there is no queue {demand.queue}", {"queue": demand.queue})
    if queue.projects is not None and demand.project not in queue.projects:
        text = f"queue {queue.name} is not open to project {demand.project}"
        return Reason("queue-closed", text, {"queue": queue.name, "project": demand.project})
    if demand.priority > queue.up_to:
        text = (
            f"queue {queue.name} takes jobs of priority up to {queue.up_to}, this one has {demand.priority}"
        )
        data: dict[str, JSON] = {"queue": queue.name, "priority": demand.priority, "up_to": queue.up_to}
        return Reason("priority-too-high", text, data)
    return None
