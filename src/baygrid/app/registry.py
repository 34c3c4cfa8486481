"""The registry as it is read: who was in the region on a day, where, and what they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.observatory import observatory
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound
from baygrid.app.registry_zones import zones_now
from baygrid.core.days import day_of
from baygrid.core.region import proposing
from baygrid.core.region.bodies import Label, Labelled, Spell
from baygrid.ports.registry import BodyRow, ChangeRow
from baygrid.ports.store import Tx

if TYPE_CHECKING:
    from baygrid.observatory.zones import Place, Zones

MOST_LOOKED_AT: Final = 5_000
"""Bodies that one page of a filtered list looks at; a page may be short, and has a `next` all the same."""
_STEP: Final = 500


@dataclass(frozen=True, slots=True)
class View:
    """A body on a day: its address then, if any, where that lies, and what the body was."""

    row: BodyRow
    address: Spell | None
    place: Place | None
    labels: Sequence[Label]


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty ones ask nothing. `zone`: with those inside it."""

    search: str = ""
    kind: str = ""
    zone: str = ""
    layer: str = ""
    field: str = ""


def today(platform: Platform) -> date:
    return day_of(platform.clock())


def page(
    platform: Platform, actor: Actor, filters: Filters, on: date, after: str, limit: int
) -> tuple[list[View], str | None]:
    """By id, beyond `after`; without those that are part of another. With the id to go on from, if any."""
    permit(actor, Action.BROWSE)
    zones = zones_now(platform)
    if filters.zone and filters.zone not in {it.id for it in zones.all}:
        raise Invalid.at("zone", f"there is no zone {filters.zone!r}: `baygrid registry zones` lists them")
    within = zones.within(filters.zone) if filters.zone else frozenset()
    search = observatory("searching").folded(filters.search) if filters.search else ""
    found: list[View] = []
    for _ in range(MOST_LOOKED_AT // _STEP):
        rows = platform.store.read(
            lambda tx, after=after: tx.registry.bodies(after, _STEP, search=search)  # type: ignore[misc]
        )
        for row in rows:
            view = _view(row, zones, on)
            if _asked_for(view, filters, within):
                found.append(view)
            after = row.id
            if len(found) == limit:
                return found, after
        if len(rows) < _STEP:
            return found, None
    return found, after


def body(platform: Platform, actor: Actor, id: str, on: date) -> tuple[View, list[ChangeRow]]:
    """With all that was done to it, oldest first. Raises NotFound."""
    permit(actor, Action.BROWSE)
    row, log = platform.store.read(lambda tx: (find(tx, id), tx.registry.changes(id)))
    return _view(row, zones_now(platform), on), log


def proposals(platform: Platform, actor: Actor, id: str) -> list[proposing.Proposal]:
    """What it may be, by the words of its names and its business. A proposal counts for nothing."""
    permit(actor, Action.BROWSE)
    return proposing.proposals(platform.store.read(lambda tx: find(tx, id)).record.body)


def _view(row: BodyRow, zones: Zones, on: date) -> View:
    address = row.record.address_on(on)
    place = zones.place(address, on) if address else None
    return View(row, address, place, row.record.labels_on(on))


def _asked_for(view: View, filters: Filters, within: frozenset[str]) -> bool:
    if view.row.merged_into is not None:
        return False
    says = {(it.kind, it.value) for it in view.labels}
    return (
        (not filters.kind or view.row.record.body.kind == filters.kind)
        and (not filters.zone or (view.place is not None and view.place.zone in within))
        and (not filters.layer or (Labelled.LAYER, filters.layer) in says)
        and (not filters.field or (Labelled.FIELD, filters.field) in says)
    )


def find(tx: Tx, id: str) -> BodyRow:
    row = tx.registry.body(id)
    if row is None:
        raise NotFound(f"there is no body {id!r}")
    return row
