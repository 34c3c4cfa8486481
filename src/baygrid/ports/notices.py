"""What a project is told outside of the platform: to whom (subscriptions), and what is still to be told
(notices, queued by the transaction that writes the event)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from baygrid.ports.basics import Instant
from baygrid.ports.records import Event


class Topic(StrEnum):
    """What one subscribes to."""

    JOB = "job"
    BUDGET = "budget"
    CONTRACT = "contract"


TEST: Final = "test"
"""The kind of a notice that is no event: somebody asked whether they arrive."""
_JOB_ENDS: Final = frozenset(("job-succeeded", "job-failed", "job-cancelled"))


def topic_of(kind: str) -> Topic | None:
    """Of an event's kind; None for those that nobody is told of."""
    if kind in _JOB_ENDS:
        return Topic.JOB
    if kind == "budget-alert":
        return Topic.BUDGET
    return Topic.CONTRACT if kind.startswith("contract-") else None


@dataclass(frozen=True, slots=True)
class Subscription:
    """`target`: an https address, or mailto: and one address, then with the `language` of its reader.
    `sealed` by `key`: the secret that signs what goes to an https address, else "". `failures`: of deliveries
    since one succeeded, `said` why the last one failed; `told_at`: when one succeeded last."""

    id: str
    project: str
    target: str
    topics: tuple[Topic, ...]
    language: str
    sealed: str
    key: str
    made_at: Instant
    made_by: str
    failures: int = 0
    said: str = ""
    told_at: Instant | None = None

    @property
    def email(self) -> str | None:
        return self.target.removeprefix("mailto:") if self.target.startswith("mailto:") else None


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that a subscription is still to be told of, not before `next_at`. `n` counts them."""

    n: int
    subscription: str
    at: Instant
    kind: str
    project: str
    job: str | None
    data: Mapping[str, Any]
    next_at: Instant


class Notices(Protocol):
    """Events queue their notices themselves, as they are appended: none is without the other."""

    def insert(self, row: Subscription) -> None: ...

    def get(self, id: str) -> Subscription | None: ...

    def of(self, project: str | None) -> list[Subscription]:
        """By project and age; None: of all."""
        ...

    def delete(self, id: str) -> None:
        """With all that it was still to be told."""
        ...

    def reseal(self, id: str, sealed: str, key: str) -> None: ...

    def queue(self, subscriptions: Sequence[Subscription], events: Sequence[Event]) -> None:
        """What each of these is to be told of an event of its project, at once."""
        ...

    def waiting(self, subscription: str) -> int:
        """How many notices it is still to be told."""
        ...

    def next_at(self) -> Instant | None:
        """When the next notice is due; None while there is none."""
        ...

    def claim(self, now: Instant, until: Instant) -> Notice | None:
        """One that is due, for whoever asks alone: it is due again at `until`."""
        ...

    def told(self, notice: Notice, now: Instant) -> None:
        """It arrived."""
        ...

    def failed(self, notice: Notice, failures: int, said: str, next_at: Instant) -> None:
        """Nothing goes to this subscription before `next_at`."""
        ...

    def drop(self, notice: Notice) -> None:
        """It is not tried any more."""
        ...


class NotDelivered(Exception):
    """The reason, in one sentence. `never`: whoever is there wants no more of it."""

    def __init__(self, reason: str, *, never: bool = False) -> None:
        super().__init__(reason)
        self.never = never


class Courier(Protocol):
    def post(self, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """Returns when the address has said that it took it. Raises NotDelivered."""
        ...
