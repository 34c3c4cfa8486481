"""What an operator says of a body: what it is, that two are one, which organisation it is. Each change is a
version of the body and a row of its log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from baygrid.app.access import Action, Actor, permit
from baygrid.app.observatory import observatory
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, NotFound, WrongState
from baygrid.app.registry import find
from baygrid.core.reading import Wrong
from baygrid.core.region import changes
from baygrid.core.region.bodies import Labelled
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event
from baygrid.ports.registry import BodyRow, Change, ChangeRow
from baygrid.ports.store import Tx


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
        one, other = find(tx, gone), find(tx, into)
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
        one = find(tx, id)
        if one.merged_into is None:
            raise WrongState(f"{id!r} is no part of another body")
        other = find(tx, one.merged_into)
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
    searching = observatory("searching")
    return replace(row, keys=searching.keys_of(row.record), text=searching.text_of(row.record))


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
        before = find(tx, id)
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
    now: Instant,
    actor: Actor,
    *,
    person: str = "",
    why: str,
    data: Mapping[str, Any],
) -> None:
    said = ChangeRow(row.id, row.version, change, now, actor.token_id, person, why, data, row.record)
    tx.registry.log([said])
