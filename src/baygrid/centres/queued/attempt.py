"""One attempt at an engine, as the centre holds it in memory between two looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from baygrid.centres.engine import DUPLICATE, NAME, Sight, Stand, Task
from baygrid.centres.folder.files import Claim, Files, Why
from baygrid.centres.queued.notes import Note
from baygrid.centres.queued.script import SCRIPT
from baygrid.centres.queued.verdict import Told
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.basics import Instant
from baygrid.ports.centre import Observation
from baygrid.ports.messages import Order

MARGIN_S = 120
"""The engine's own limit is so far above ours: it only counts while this agent is not there."""


class Stage(Enum):
    READY = auto()  # surely not at the engine: goes with the next submission
    SUBMITTING = auto()  # in a call that has not returned
    SOUGHT = auto()  # may be at the engine: it is looked for before it is submitted (again)
    THERE = auto()  # the engine has said so
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Pace:
    """All in milliseconds. `soon` after a submission the engine is looked at, then in growing steps up to
    `tick`. `settle`: how long a file that another node wrote may stay unseen. `lag`: how long the accounting
    may not know what the list no longer has. `silent`: how long the engine's word on an end is waited for
    that the folder knows. `again`, growing to `again_most`: after an engine did not answer. `waits`:
    between two questions how long one more would wait."""

    soon: int = 200
    tick: int = 2_000
    settle: int = 5_000
    lag: int = 20_000
    silent: int = 60_000
    again: int = 500
    again_most: int = 15_000
    inventory: int = 60_000
    waits: int = 30_000


@dataclass(slots=True)
class Attempt:
    """`listed`: the last look had it; `absent_at`: since when none had. `ending_at`: when its end, by folder
    or engine, was first seen. `signal`: to be sent to it, until the engine took it. `running_at`,
    `started_at`, `nodes`: as in `Note`."""

    key: str
    files: Files
    order: Order
    at: Instant
    stage: Stage = Stage.READY
    account: str = ""
    id: str = ""
    sight: Sight | None = None
    listed: bool = False
    absent_at: Instant | None = None
    account_at: Instant = 0
    asked: int = 0  # how often the accounting has answered since it is absent
    ending_at: Instant | None = None
    claim: Claim | None = None
    why: Why | None = None
    signal: str | None = None
    running_at: Instant | None = None
    started_at: Instant | None = None
    nodes: tuple[str, ...] = ()
    seen: Observation = field(default_factory=lambda: Observation(AttemptState.WAITING, raw="not submitted"))

    @property
    def name(self) -> str:
        return name_of(self.key)

    @property
    def target(self) -> Sight | None:
        """What a signal to it is sent to, None while nothing is known of it at the engine."""
        if self.sight is not None:
            return self.sight
        return Sight(self.name, self.id, Stand.UNKNOWN, "") if self.id else None

    @property
    def limit_at(self) -> Instant | None:
        """When its time is up. It counts by our clock: the engine's may be another."""
        if self.running_at is None or self.ending_at is not None or self.order.time_s <= 0:
            return None
        return self.running_at + self.order.time_s * 1000

    @property
    def due_at(self) -> Instant | None:
        return self.limit_at if self.why is None else self.why.kill_at

    def task(self) -> Task:
        limit_s = self.order.time_s + self.order.grace_s + MARGIN_S
        folder = Path(self.files.dir)
        return Task(self.name, folder, folder / SCRIPT, self.order, limit_s, self.account)

    def note(self) -> Note:
        word, kill_at = (self.why.word, self.why.kill_at) if self.why is not None else ("", 0)
        times = (self.running_at, self.started_at)
        return Note(self.order, self.at, self.id, word, kill_at, *times, self.nodes)

    def told(self, *, whole: bool) -> Told:
        """What its folder says. `whole`: also whether it has ended. Raises Forbidden."""
        ended = self.files.exit() if whole else None
        began = self.started_at
        if not self._read_claim():
            began = began if began is not None else self.files.last_sign()
        elif self.claim is None:
            began = began if began is not None or ended is None else ended.at
        elif self.claim.pid is None:
            raise Forbidden(self.claim.word, self.claim.detail, self.claim.at)
        elif began is None:
            began = self.claim.at
        return Told(began, ended)

    def _read_claim(self) -> bool:
        """False: it is half, or not what this program writes."""
        if self.claim is None:
            try:
                self.claim = self.files.claim()
            except ValueError:
                return False
        return True

    def pick(self, sights: list[Sight]) -> Sight | None:
        """Of all tasks of its name the one that has its claim; before there is one, that which is furthest. A
        task that lost the claim says nothing of the attempt, unless the claim is not whole: then nobody has
        it."""
        if len(sights) > 1 or any(map(_lost_the_claim, sights)):
            self._read_claim()
        if self.claim is None:
            return min(sights, key=_nearness, default=None)
        claimed = str(self.claim.given.get("id", ""))
        found = [
            sight for sight in sights if not _lost_the_claim(sight) and (not claimed or sight.id == claimed)
        ]
        return min(found, key=_nearness, default=None)


class Forbidden(Exception):
    """The claim is our own: it never ran and never will."""

    def __init__(self, word: str, detail: str, at: Instant) -> None:
        super().__init__(word)
        self.word, self.detail, self.at = word, detail, at


def name_of(key: str) -> str:
    return f"{NAME}{key}"


def _lost_the_claim(sight: Sight) -> bool:
    return sight.stand is Stand.ENDED and sight.exit_code == DUPLICATE


_STANDS = (Stand.RUNNING, Stand.STOPPING, Stand.WAITING, Stand.UNKNOWN, Stand.ENDED)


def _nearness(sight: Sight) -> int:
    return _STANDS.index(sight.stand)
