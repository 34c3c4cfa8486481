"""This server's copy of what the region offers, renewed when the region's version has grown."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from baygrid.app.demand import Rated, by_place, centre_view, offer_views, partitions_of
from baygrid.core.placement import policy_file
from baygrid.core.placement.image import Image, OfferView, Partition
from baygrid.core.placement.policy import UNDECLARED, Policy, Reserved
from baygrid.core.rating.judging import stale_at
from baygrid.core.rating.value import Rating
from baygrid.ports.basics import Instant
from baygrid.ports.records import CentreRecord, Offer
from baygrid.ports.store import Tx

MEMO_SIZE = 10_000
OWN_QUEUES = frozenset({"slurm", "kubernetes", "ray"})
"""Drivers of engines that choose the nodes themselves: no policy makes their centres managed."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Every offer at its rates in force, until the next tariff begins or a rating is too old (None: none is
    known). `memo` keeps answers that rest on nothing else but a job's shape."""

    views: tuple[OfferView, ...]
    until: Instant | None
    memo: dict[Hashable, Any] = field(default_factory=dict)

    def remember(self, key: Hashable, answer: Any) -> Any:
        """Keeps `answer`; a full memo begins anew."""
        if len(self.memo) >= MEMO_SIZE:
            self.memo.clear()
        self.memo[key] = answer
        return answer


@dataclass(slots=True)
class RegionCopy:
    """Centres, offers, projects and policies at one version."""

    version: int
    centres: Mapping[str, CentreRecord]
    offers: Mapping[str, Offer]
    partitions: Mapping[str, tuple[Partition, ...]]
    organisations: Mapping[str, str]
    """Of each project."""
    ratings: Mapping[Rated, Sequence[Rating]]
    """The newest of each profile, stale ones too."""
    policies: tuple[tuple[Instant, Policy], ...]
    """By when they begin, oldest first; the first is that of a region that has declared nothing."""
    sells: bool = False
    """Whether anything was ever listed for sale ahead."""
    _prices: Prices | None = None

    @property
    def own_queues(self) -> tuple[str, ...]:
        """The centres whose engine chooses the nodes."""
        return _own_queues(self.centres)

    def policy(self, now: Instant) -> Policy:
        """The one in force."""
        return [policy for begins, policy in self.policies if begins <= now][-1]

    def prices(self, now: Instant) -> Prices:
        """The same value until a tariff begins."""
        prices = self._prices
        if prices is None or (prices.until is not None and now >= prices.until):
            changes = [t.valid_from for offer in self.offers.values() for t in offer.tariffs]
            changes += [stale_at(it) for rated in self.ratings.values() for it in rated]
            until = min((at for at in changes if at > now), default=None)
            prices = Prices(tuple(offer_views(self.offers.values(), self.ratings, now)), until)
            self._prices = prices
        return prices

    def announced(self, now: Instant, until: Instant) -> tuple[Instant, ...]:
        """When prices change between these two."""
        changes = {t.valid_from for offer in self.offers.values() for t in offer.tariffs}
        return tuple(sorted(at for at in changes if now < at < until))

    def image(self, now: Instant, priced_at: Instant | None = None) -> Image:
        """An image with nothing running in it, at the prices of now, or of another moment."""
        views = [centre_view(c, self.partitions[c.name], c.seen_at, now) for c in self.centres.values()]
        if priced_at is None:
            return Image(views, self.prices(now).views)
        return Image(views, tuple(offer_views(self.offers.values(), self.ratings, priced_at)))


class Catalogue:
    """Shared by the threads of a server: a copy is replaced as a whole."""

    def __init__(self) -> None:
        self._copy: RegionCopy | None = None

    def at(self, tx: Tx) -> RegionCopy:
        """The region as this transaction sees it, but for `seen_at`, which heartbeats move without a new
        version."""
        version = tx.region.version()
        copy = self._copy
        if copy is None or copy.version != version:
            centres, sells = tx.region.centres(), bool(tx.trading.listings())
            copy = RegionCopy(
                version,
                centres,
                {offer.id: offer for offer in tx.region.offers()},
                {name: _partitions(copy, centre) for name, centre in centres.items()},
                {name: project.organisation for name, project in tx.region.projects().items()},
                by_place(tx.ratings.newest()),
                _policies(tx, _own_queues(centres), _kept(tx) if sells else ()),
                sells,
            )
            self._copy = copy
        return copy


def _own_queues(centres: Mapping[str, CentreRecord]) -> tuple[str, ...]:
    return tuple(name for name, centre in sorted(centres.items()) if centre.driver in OWN_QUEUES)


def _policies(
    tx: Tx, own_queues: tuple[str, ...], kept: tuple[Reserved, ...]
) -> tuple[tuple[Instant, Policy], ...]:
    declared = [(row.valid_from, policy_file.parse(row.document)) for row in tx.policies.history()]
    return tuple(
        (begins, it.with_own_queues(own_queues).with_reservations(kept))
        for begins, it in [(0, UNDECLARED), *declared]
    )


def _kept(tx: Tx) -> tuple[Reserved, ...]:
    """Nodes that projects have bought for a time."""
    offers = {offer.id: offer for offer in tx.region.offers()}
    return tuple(
        Reserved(
            it.id,
            it.centre,
            offers[it.terms.offer].partition,
            it.nodes,
            it.terms.start,
            it.terms.end,
            frozenset({it.project}),
        )
        for it in tx.trading.trades()
        if it.nodes and it.settled_at is None
    )


def _partitions(before: RegionCopy | None, centre: CentreRecord) -> tuple[Partition, ...]:
    """The very same value while its inventory is the same one: whoever compares a hundred thousand nodes with
    themselves then does not look at them, and a new price makes none anew."""
    known = before.centres.get(centre.name) if before is not None else None
    if before is not None and known is not None and known.inventory is centre.inventory:
        return before.partitions[centre.name]
    return partitions_of(centre)
