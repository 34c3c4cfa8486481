"""The registry: who is in the region. Everybody who has a token reads it; an operator says what is in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, Problem, WrongState
from baygrid.core.days import day_of
from baygrid.core.reading import DocumentError, Wrong
from baygrid.core.region import changes, proposing
from baygrid.core.region.bodies import Label, Labelled, Record, Spell
from baygrid.ports.records import Event
from baygrid.ports.registry import BodyRow, Change, ChangeRow, ZonesRow
from baygrid.ports.store import Tx

if TYPE_CHECKING:
    from baygrid.observatory.zones import Place, Zones

MOST_LOOKED_AT: Final = 5_000
"""Bodies that one page of a filtered list looks at; a page may be short, and has a `next` all the same."""
_STEP: Final = 500


class NoObservatory(Problem):
    status, code, title = 503, "no-observatory", "This server keeps no registry"


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


def observatory(module: str) -> Any:
    """A module of the observatory, whose libraries a server may lack. Raises NoObservatory."""
    try:
        return import_module(f"baygrid.observatory.{module}")
    except ModuleNotFoundError as error:
        raise NoObservatory(
            f"it was installed without {error.name}: install baygrid[observatory] and start it again"
        ) from None


def today(platform: Platform) -> date:
    return day_of(platform.clock())


def zones_now(platform: Platform) -> Zones:
    row = platform.store.read(lambda tx: tx.registry.zones())
    zones: Zones = _zones("" if row is None else json.dumps(row.document))
    return zones


@lru_cache(maxsize=4)
def _zones(document: str) -> Any:
    zones = observatory("zones")
    return zones.Zones(zones.read_zones(document.encode()) if document else ())


def page(
    platform: Platform, actor: Actor, filters: Filters, on: date, after: str, limit: int
) -> tuple[list[View], str | None]:
    """By id, beyond `after`; without those that are part of another. With the id to go on from, if any."""
    permit(actor, Action.BROWSE)
    zones = zones_now(platform)
    if filters.zone and filters.zone not in {it.id for it in zones.all}:
        raise Invalid.at("zone", f"there is no zone {filters.zone!r}: `baygrid registry zones` lists them")
    within = zones.within(filters.zone) if filters.zone else frozenset()
    search = observatory("reviewing").folded(filters.search) if filters.search else ""
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
    row, log = platform.store.read(lambda tx: (_find(tx, id), tx.registry.changes(id)))
    return _view(row, zones_now(platform), on), log


def proposals(platform: Platform, actor: Actor, id: str) -> list[proposing.Proposal]:
    """What it may be, by the words of its names and its business. A proposal counts for nothing."""
    permit(actor, Action.BROWSE)
    return proposing.proposals(platform.store.read(lambda tx: _find(tx, id)).record.body)


def label(
    platform: Platform,
    actor: Actor,
    id: str,
    kind: Labelled,
    values: Sequence[str],
    since: date | None,
    by: str,
    why: str,
) -> BodyRow:
    """A person says what it is from `since` on (None: ever). Raises Invalid, NotFound."""
    _said({"by": by, "why": why})
    data = {"kind": kind.value, "values": list(values), "since": since.isoformat() if since else None}

    def decide(row: BodyRow) -> BodyRow:
        _not_merged(row)
        record = _or_invalid("values", lambda: changes.relabel(row.record, kind, values, since, by, why))
        return replace(row, record=record)

    return _change(platform, actor, id, decide, Change.LABEL, by, why, data)


def link(platform: Platform, actor: Actor, id: str, organisation: str | None) -> BodyRow:
    """Says which organisation of the platform it is, or (None) that it is none. Raises NotFound."""

    def decide(row: BodyRow) -> BodyRow:
        _not_merged(row)
        return replace(row, organisation=organisation)

    if organisation is not None:
        known = platform.store.read(lambda tx: {it.name for it in tx.region.organisations()})
        permit(actor, Action.OPERATE)
        if organisation not in known:
            raise NotFound(f"there is no organisation {organisation!r}: add it first")
    return _change(platform, actor, id, decide, Change.LINK, "", "", {"organisation": organisation})


def merge(platform: Platform, actor: Actor, gone: str, into: str, why: str) -> BodyRow:
    """Makes `gone` a part of `into`, which gets what it lacks of it. Raises Invalid, NotFound, WrongState."""
    permit(actor, Action.OPERATE)
    _said({"why": why})
    if gone == into:
        raise Invalid.at("into", "is the body itself: name the other one")
    now = platform.clock()

    def apply(tx: Tx) -> BodyRow:
        one, other = _find(tx, gone), _find(tx, into)
        if one.merged_into == into:
            return other
        for row in (one, other):
            _not_merged(row)
        if any(it.merged_into == gone for it in tx.registry.some(_merged_before(tx, gone)).values()):
            raise WrongState(
                f"others were merged into {gone!r}: take that back first, or merge {into!r} into it"
            )
        record, brought = _or_invalid("into", lambda: changes.merge(one.record, other.record))
        went = replace(one, version=one.version + 1, merged_into=into)
        stays = _findable(replace(other, version=other.version + 1, record=record))
        tx.registry.update_bodies([went])  # first: its code may go to the other
        tx.registry.update_bodies([stays])
        data = {"body": gone, "brought": brought.to_json()}
        _log(tx, went, Change.MERGED, now, actor, why=why, data={"into": into})
        _log(tx, stays, Change.MERGE, now, actor, why=why, data=data)
        tx.events.append([Event(now, "registry-merged", data={"body": gone, "into": into})])
        return stays

    return platform.store.write(apply)


def unmerge(platform: Platform, actor: Actor, id: str, why: str) -> BodyRow:
    """Takes back that it is part of another, by the log. Raises Invalid, NotFound, WrongState."""
    permit(actor, Action.OPERATE)
    _said({"why": why})
    now = platform.clock()

    def apply(tx: Tx) -> BodyRow:
        one = _find(tx, id)
        if one.merged_into is None:
            raise WrongState(f"{id!r} is no part of another body")
        other = _find(tx, one.merged_into)
        merges = [it for it in tx.registry.changes(other.id) if it.change is Change.MERGE]
        last = next(it for it in reversed(merges) if it.data["body"] == id)
        brought = changes.Brought.of_json(other.id, last.data["brought"])
        left = _findable(
            replace(other, version=other.version + 1, record=changes.unmerge(other.record, brought))
        )
        back = replace(one, version=one.version + 1, merged_into=None)
        tx.registry.update_bodies([left])  # first: its code may have been the other's
        tx.registry.update_bodies([back])
        _log(tx, left, Change.UNMERGE, now, actor, why=why, data={"body": id})
        _log(tx, back, Change.UNMERGE, now, actor, why=why, data={"from": other.id})
        tx.events.append([Event(now, "registry-unmerged", data={"body": id, "from": other.id})])
        return back

    return platform.store.write(apply)


def zones(platform: Platform, actor: Actor) -> ZonesRow | None:
    permit(actor, Action.BROWSE)
    return platform.store.read(lambda tx: tx.registry.zones())


def set_zones(platform: Platform, actor: Actor, document: object) -> ZonesRow:
    """All zones anew; earlier versions stay. What says the same again changes nothing. Raises Invalid."""
    permit(actor, Action.OPERATE)
    module = observatory("zones")
    try:
        said = module.to_geojson(module.read_zones(json.dumps(document).encode()))
    except DocumentError as error:
        raise Invalid.many([(it.path, it.message) for it in error.problems]) from None
    now = platform.clock()

    def apply(tx: Tx) -> ZonesRow:
        before = tx.registry.zones()
        if before is not None and before.document == said:
            return before
        row = ZonesRow(before.version + 1 if before else 1, said, now, actor.token_id)
        tx.registry.insert_zones(row)
        tx.events.append([Event(now, "registry-zones-set", data={"version": row.version})])
        return row

    return platform.store.write(apply)


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


def _find(tx: Tx, id: str) -> BodyRow:
    row = tx.registry.body(id)
    if row is None:
        raise NotFound(f"there is no body {id!r}")
    return row


def _merged_before(tx: Tx, id: str) -> list[str]:
    return [it.data["body"] for it in tx.registry.changes(id) if it.change is Change.MERGE]


def _not_merged(row: BodyRow) -> None:
    if row.merged_into is not None:
        raise WrongState(
            f"{row.id!r} was merged into {row.merged_into!r}: say it of that one, or unmerge first"
        )


def _said(words: Mapping[str, str]) -> None:
    empty = [(name, "is empty: the log says who and why") for name, text in words.items() if not text.strip()]
    if empty:
        raise Invalid.many(empty)


def _or_invalid(path: str, decide: Callable[[], Any]) -> Any:
    try:
        return decide()
    except Wrong as wrong:
        raise Invalid.at(path, str(wrong)) from None


def _findable(row: BodyRow) -> BodyRow:
    """With what others find it by, after its names changed."""
    reviewing = observatory("reviewing")
    return replace(row, keys=reviewing.marks(row.record), text=reviewing.searched(row.record))


def _change(
    platform: Platform,
    actor: Actor,
    id: str,
    decide: Callable[[BodyRow], BodyRow],
    change: Change,
    by: str,
    why: str,
    data: Mapping[str, Any],
) -> BodyRow:
    """What says the same again changes nothing."""
    permit(actor, Action.OPERATE)
    now = platform.clock()

    def apply(tx: Tx) -> BodyRow:
        before = _find(tx, id)
        after = decide(before)
        if after == before:
            return before
        after = replace(after, version=before.version + 1)
        tx.registry.update_bodies([after])
        _log(tx, after, change, now, actor, person=by, why=why, data=data)
        tx.events.append([Event(now, f"registry-{change.value}", data={"body": id, **data})])
        return after

    return platform.store.write(apply)


def _log(
    tx: Tx,
    row: BodyRow,
    change: Change,
    now: int,
    actor: Actor,
    *,
    person: str = "",
    why: str,
    data: Mapping[str, Any],
) -> None:
    record: Record = row.record
    tx.registry.log([ChangeRow(row.id, row.version, change, now, actor.token_id, person, why, data, record)])
