"""Labels of a table's columns: proposed by what values look like, set by a person who answers for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from baygrid.app.access import Action, Actor, permit
from baygrid.app.once import Once, answered
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, WrongState
from baygrid.app.sources import Unreadable, reader_of, source_of
from baygrid.app.tables import View, checked, find_table
from baygrid.core.data.described import line
from baygrid.core.data.labelling import contradiction
from baygrid.core.data.labels import Labels
from baygrid.ports.basics import Instant
from baygrid.ports.data import TableRow
from baygrid.ports.reader import ReadFailed, Source
from baygrid.ports.records import Event
from baygrid.ports.store import Exists, Tx


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a column may be, and why; `confirmed`: what somebody said that it is."""

    column: str
    proposed: Labels | None
    why: str
    confirmed: Labels | None


def proposals(platform: Platform, actor: Actor, project: str, name: str) -> list[Proposal]:
    """In the order of the columns. They count for nothing until a person confirms them. Raises NotFound,
    NoReader, Unreadable."""
    permit(actor, Action.USE, project=project)

    def load(tx: Tx) -> tuple[TableRow, Source]:
        row = find_table(tx, project, name)
        return row, source_of(platform, tx, row)

    row, source = platform.store.read(load)
    try:
        found = reader_of(platform).propose(source)
    except ReadFailed as error:
        raise Unreadable(str(error)) from None
    return [_proposal(it.name, found.get(it.name), row.labels.get(it.name)) for it in row.columns]


def _proposal(column: str, found: tuple[Labels, str] | None, confirmed: Labels | None) -> Proposal:
    proposed, why = found or (None, "it is not there any more: add the table again")
    return Proposal(column, proposed, why, confirmed)


def confirm(
    platform: Platform,
    actor: Actor,
    project: str,
    name: str,
    labels: Mapping[str, Labels],
    by: str,
    once: Once | None = None,
) -> View:
    """Sets what these columns are, in the name of the person who says so; others keep theirs. Raises Invalid,
    NotFound, WrongState."""
    permit(actor, Action.USE, project=project)
    person = checked("by", lambda: line(by))
    now = platform.clock()

    def apply(tx: Tx) -> TableRow:
        row = find_table(tx, project, name)
        answered(tx, project, once, now, lambda: _set(tx, actor, row, labels, person, now))
        return find_table(tx, project, name)

    try:
        return View(platform.store.write(apply), own=True)
    except Exists:
        raise WrongState(f"table {name!r} is just being changed: try again") from None


def _check(row: TableRow, labels: Mapping[str, Labels]) -> None:
    if not labels:
        raise Invalid.at("labels", "is empty: say what at least one column is")
    columns = {it.name for it in row.columns}
    strange = [(f"labels.{each}", f"{row.ref} has no such column") for each in labels if each not in columns]
    wrong = [(f"labels.{each}", why) for each, it in labels.items() if (why := contradiction(it)) is not None]
    if strange or wrong:
        raise Invalid.many([*strange, *wrong])


def _set(tx: Tx, actor: Actor, row: TableRow, labels: Mapping[str, Labels], person: str, now: Instant) -> str:
    _check(row, labels)
    row = replace(
        row,
        version=row.version + 1,
        labels={**row.labels, **labels},
        confirmed_by=person,
        made_at=now,
        made_by=actor.token_id,
    )
    tx.catalogue.insert_table(row)
    data = {"table": row.ref, "version": row.version, "columns": sorted(labels)}
    tx.events.append([Event(now, "labels-confirmed", row.project, data=data)])
    said = {name: it.to_json() for name, it in labels.items()}
    told = {"table": row.ref, "version": row.version, "labels": said, "person": person, "by": actor.token_id}
    tx.audit.append(now, "labels-confirmed", told, contract=None, project=row.project)
    return row.ref
