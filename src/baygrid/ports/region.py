"""The store's part of the region: what an operator sets up, the policies in force, the exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from baygrid.core.pricing.budgets import Budget
from baygrid.core.pricing.months import Month
from baygrid.core.pricing.tariff import Tariff
from baygrid.ports.basics import Instant
from baygrid.ports.messages import DriverReport, PartitionReport
from baygrid.ports.records import (
    CentreRecord,
    CentreState,
    LinkRecord,
    MemberRecord,
    Offer,
    Organisation,
    PlanRow,
    PolicyRecord,
    Project,
    RatingRow,
    Token,
)


class Region(Protocol):
    """Organisations, projects, tokens, centres and offers: what an operator sets up."""

    def insert_organisation(self, row: Organisation) -> None:
        """Raises Exists; so do the inserts below."""
        ...

    def organisations(self) -> list[Organisation]: ...

    def insert_project(self, row: Project) -> None: ...

    def projects(self, names: Sequence[str] | None = None) -> dict[str, Project]: ...

    def projects_with_budget(self) -> list[Project]:
        """By name."""
        ...

    def set_budget(
        self, project: str, budget: Budget | None, month: Month, charged: int, alerted: int
    ) -> None:
        """`charged`: minor units in this month so far; `alerted`: the last alert that counts as told."""
        ...

    def alert(self, project: str, month: Month, percent: int) -> bool:
        """Keeps that this alert is told of this month. False where it, or a later one, is already."""
        ...

    def insert_token(self, row: Token) -> None: ...

    def token(self, sha256: str) -> Token | None: ...

    def tokens(self) -> list[Token]: ...

    def revoke_token(self, id: str, now: Instant) -> bool: ...

    def use_token(self, id: str, public_key: str) -> bool:
        """Of a join token: false when another key has used it."""
        ...

    def settle_token(self, id: str) -> None:
        """It is no longer fresh."""
        ...

    def set_renewing(self, centre: str, renewing: bool) -> None: ...

    def set_refused(self, name: str, refused: Mapping[str, str]) -> None:
        """Does not grow the region's version: nothing is decided by it."""
        ...

    def insert_centre(self, row: CentreRecord) -> None: ...

    def centres(self) -> dict[str, CentreRecord]: ...

    def centre(self, name: str) -> CentreRecord | None: ...

    def seen(self) -> dict[str, Instant | None]:
        """When each centre's agent last reported; cheap, asked in every planning cycle."""
        ...

    def set_centre_state(self, name: str, state: CentreState) -> bool: ...

    def take_report(self, name: str, incarnation: int, seq: int, now: Instant) -> bool:
        """One conditional update: false unless (incarnation, seq) is newer than the last one taken."""
        ...

    def set_inventory(
        self,
        name: str,
        inventory: tuple[PartitionReport, ...],
        digest: str,
        public_key: str,
        driver: DriverReport | None = None,
    ) -> None:
        """`driver` None: what is known of it stays. Raises KeyError when there is no such centre."""
        ...

    def next_gen(self, name: str) -> int:
        """Adds 1 to the centre's gen and returns it; wakes the centre's waiters after the commit."""
        ...

    def insert_offer(self, row: Offer) -> None: ...

    def add_tariff(self, offer: str, tariff: Tariff) -> None:
        """Raises KeyError when there is no such offer, Exists when one begins at the same time."""
        ...

    def offers(self) -> list[Offer]: ...

    def version(self) -> int:
        """Grows with every change of projects' settings, centres, inventories, offers and tariffs (not with
        heartbeats): who keeps a copy asks this first."""
        ...


class Policies(Protocol):
    """Placement policies by when they begin. None is ever changed or removed, so that every decision can be
    understood by the one that was in force."""

    def insert(self, row: PolicyRecord) -> None:
        """Grows the region's version. Raises Exists."""
        ...

    def in_force(self, now: Instant) -> PolicyRecord | None:
        """The one that began last (of several at once, the one that was set last); None: no policy yet."""
        ...

    def history(self) -> list[PolicyRecord]:
        """By `valid_from` and id, oldest first, those that have yet to begin too."""
        ...


class Exchange(Protocol):
    """Members besides the centres, by name; what was measured of a link, by its two ends."""

    def add_member(self, row: MemberRecord) -> None:
        """Raises Exists."""
        ...

    def remove_member(self, name: str) -> bool:
        """Whether it was there."""
        ...

    def members(self) -> list[MemberRecord]: ...

    def links(self) -> list[LinkRecord]: ...

    def link(self, source: str, target: str) -> LinkRecord | None: ...

    def put_link(self, row: LinkRecord) -> None:
        """In place of what was known of it."""
        ...


class Ratings(Protocol):
    """What centres were measured to do, and what their operators publish. None is ever changed or removed."""

    def insert(self, row: RatingRow) -> bool:
        """Grows the region's version. False: this place was rated with this profile at that very time
        before, and that stays as it is."""
        ...

    def newest(self) -> list[RatingRow]:
        """By place and profile the one that was measured last, in the order of these."""
        ...

    def of_centre(self, centre: str) -> list[RatingRow]:
        """All, newest first."""
        ...

    def set_plan(self, row: PlanRow) -> None:
        """In the place of an earlier one. Raises Exists for two at one time."""
        ...

    def plans(self) -> dict[str, PlanRow]:
        """The last one of each centre."""
        ...
