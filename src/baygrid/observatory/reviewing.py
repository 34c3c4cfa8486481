"""The review of an import: every row judged, by itself, with the other rows of its body, and with what the
registry has already. Nothing is written here but the scratch file that holds what would come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from baygrid.core.region.bodies import Body, Label, Record, Return, Spell, Zone
from baygrid.core.region.documents import row_of, to_document
from baygrid.core.region.review import Given, review
from baygrid.core.region.rows import COLUMNS, Finding, body_of, read_row
from baygrid.observatory.plain import raw, zones_of
from baygrid.observatory.searching import keys_of, text_of
from baygrid.observatory.spreadsheets import Source
from baygrid.observatory.staged import CHUNK, Cells, Mark, Pair, Staged, chunks
from baygrid.observatory.zones import How, Zones
from baygrid.ports.registry import BodyRow, return_key

NEW: Final = "new"
CHANGED: Final = "changed"
SAME: Final = "same"
HELD: Final = "held"
_NO_ZONES: Final = (
    "there are no zones, so no address can be placed: add zones.json to the folder, or set them with"
    " `baygrid registry zones set FILE`"
)


@dataclass(frozen=True, slots=True)
class Registered:
    """What the registry has: some bodies by id, all of them page by page, some figures by key, the zones."""

    some: Callable[[Sequence[str]], Mapping[str, BodyRow]]
    all: Callable[[], Iterator[BodyRow]]
    returns: Callable[[Sequence[str]], Mapping[str, Return]]
    zones: Sequence[Zone]


def stage(given: Source, known: Registered, staged: Staged) -> list[Zone]:
    """Reads and reviews all of it; `staged` then has what would come of it, and the findings. Answers the
    zones that came along, if any."""
    for table in COLUMNS:
        _take_in(given, table, staged)
    brought, wrong = zones_of(given)
    staged.found(wrong)
    zones = Zones(brought or known.zones)
    if not zones.all and not wrong:
        staged.found([Finding("zones", 0, "", "no-zones", _NO_ZONES)])
    for some in staged.bodies():
        _bodies(some, known.some([id for id, _ in some]), zones, staged)
    _known_marks(known, staged)
    staged.found(_same(it) for it in staged.same())
    for rows in staged.returns():
        _returns(rows, known, zones, staged)
    staged.found(_twice(it) for it in staged.twice())
    return brought


def _take_in(given: Source, table: str, staged: Staged) -> None:
    for some in chunks(raw(given, table), CHUNK):
        staged.found(wrong for _, _, wrong in some if wrong is not None)
        staged.put_rows(
            table, ((line, body_of(table, row), row) for line, row, wrong in some if wrong is None)
        )


def _bodies(
    some: list[tuple[str, list[Cells]]],
    known: Mapping[str, BodyRow],
    zones: Zones,
    staged: Staged,
) -> None:
    made: list[tuple[str, str, Any]] = []
    marked: list[Mark] = []
    for id, rows in some:
        given = _read(rows, staged)
        row = known.get(id)
        record, findings = review(id, given, row.record if row else None)
        findings += _misplaced(given, row.record if row else None, zones)
        if record is not None and row is not None and row.merged_into and record != row.record:
            findings += _merged(id, rows, row.merged_into)
        staged.found(findings)
        if record is None:
            made.append((id, HELD, None))
            continue
        state = NEW if row is None else SAME if record == row.record else CHANGED
        made.append((id, state, None if state == SAME else _kept(record, row)))
        marked += _marks(record, given.bodies[0][0] if given.bodies else 0, row)
    staged.put_made(made)
    staged.mark(marked)


def _kept(record: Record, row: BodyRow | None) -> Any:
    return {
        "version": row.version if row else 0,
        "document": to_document(record),
        "keys": keys_of(record),
        "text": text_of(record),
    }


def _read(rows: list[Cells], staged: Staged) -> Given:
    given = Given()
    for table, line, cells in rows:
        match read_row(table, line, cells):
            case Body() as body:
                given.bodies.append((line, body))
            case Spell() as spell:
                given.spells.append((line, spell))
            case Label() as label:
                given.labels.append((line, label))
            case Return():
                raise AssertionError(table)
            case findings:
                staged.found(findings)
                given.spoilt = True
    return given


def _marks(record: Record, line: int, row: BodyRow | None) -> Iterator[Mark]:
    """Of a body that was merged none: it is another's part. Fresh are those that the registry does not
    have."""
    if row is not None and row.merged_into:
        return
    body = record.body
    before = row.keys if row else ()
    for mark in before if row and row.record.body.names == body.names else keys_of(record):
        yield Mark(f"name {mark}", body.id, line, mark not in before, body.name)
    if body.code:
        fresh = row is None or row.record.body.code != body.code
        yield Mark(f"code {body.scheme} {body.code}", body.id, line, fresh, body.code)


def _known_marks(known: Registered, staged: Staged) -> None:
    """Of bodies that the import does not speak of."""
    for rows in chunks(known.all(), CHUNK):
        here = staged.states([it.id for it in rows])
        others = [it for it in rows if it.id not in here and not it.merged_into]
        staged.mark(it._replace(fresh=False) for row in others for it in _marks(row.record, 0, row))


def _same(pair: Pair) -> Finding:
    mark, body, line, said, other, other_line, other_said = pair
    where = f"line {other_line}" if other_line else "registered already"
    if mark.startswith("code "):
        message = f"the code {said} is that of {other!r} ({where}): give both one id, or correct the code"
        return Finding("bodies", line, body, "duplicate-code", message)
    message = (
        f"the name {said!r} is that of {other!r} ({other_said!r}, {where}) in another writing: give both one"
        f" id, or keep it if they are two; `baygrid registry merge {body} {other}` makes them one later"
    )
    return Finding("bodies", line, body, "duplicate-name", message, keepable=True)


def _merged(id: str, rows: list[Cells], into: str) -> list[Finding]:
    table, line, _ = rows[0]
    said = f"{id!r} was merged into {into!r} and these rows say otherwise than before: give them that id"
    return [Finding(table, line, id, "merged", said)]


def _misplaced(given: Given, known: Record | None, zones: Zones) -> list[Finding]:
    """Of addresses that the registry does not have yet: what was kept once is not asked again."""
    if not zones.all:
        return []
    before = set(known.spells) if known else set()
    return [
        finding
        for line, it in given.spells
        if it not in before and (finding := _misplaced_spell(line, it, zones)) is not None
    ]


def _misplaced_spell(line: int, it: Spell, zones: Zones) -> Finding | None:
    """Unless on some of its days it lies in a zone."""
    start, end = it.since or date.min, it.until or date.max
    places = [zones.place(it, day) for day in [start, *(day for day in zones.days if start < day < end)]]
    if any(place.zone for place in places):
        return None
    last = places[-1]
    if last.how is How.BORDER:
        said = (
            f"lies on the border of {' and '.join(last.border)} ({it.lon}, {it.lat}):"
            " name in district where it is"
        )
        return Finding("addresses", line, it.body, "on-border", said)
    if last.how is How.UNPLACED:
        said = (
            "has no lon and lat, and its district is no zone's name: fill lon and lat, or keep it as of no"
            " zone"
        )
        return Finding("addresses", line, it.body, "unplaced", said, keepable=True)
    said = (
        f"lies in no zone ({it.lon}, {it.lat}): correct lon and lat, or keep it if it is outside the region"
    )
    return Finding("addresses", line, it.body, "outside-every-zone", said, keepable=True)


def _returns(rows: list[tuple[int, dict[str, str]]], known: Registered, zones: Zones, staged: Staged) -> None:
    read: list[tuple[int, Return]] = []
    for line, cells in rows:
        made = read_row("returns", line, cells)
        if isinstance(made, Return):
            read.append((line, made))
        elif isinstance(made, list):
            staged.found(made)
    bodies = sorted({it.body for _, it in read if it.body})
    here, there = staged.states(bodies), known.some(bodies)
    before = known.returns([return_key(it) for _, it in read])
    ids = {it.id for it in zones.all}
    figures: list[tuple[str, str, int, str, Any]] = []
    for line, it in read:
        old = before.get(return_key(it))
        wrong = _unfit(line, it, it.body in here or it.body in there, ids)
        if old is not None and (old.value, old.unit) != (it.value, it.unit):
            wrong.append(
                _contradicts(line, it.body, row_of(it), f"{old.value} {old.unit} is registered already")
            )
        staged.found(wrong)
        state = SAME if old is not None else NEW
        figures.append((return_key(it), it.body, line, state, row_of(it)))
    staged.put_figures(figures)


def _unfit(line: int, it: Return, there_is: bool, zones: set[str]) -> list[Finding]:
    found = []
    if it.body and not there_is:
        said = (
            f"there is no body {it.body!r}: add it to bodies, or leave body empty for a published aggregate"
        )
        found.append(Finding("returns", line, it.body, "unknown-body", said))
    if it.zone and it.zone not in zones:
        known = ", ".join(sorted(zones)[:10]) or "none"
        said = f"there is no zone {it.zone!r}: use one of zones.json ({known})"
        found.append(Finding("returns", line, it.body, "unknown-zone", said))
    return found


def _twice(pair: tuple[str, int, int, Any, Any]) -> Finding:
    body, line, first, row, its = pair
    if (row["value"], row["unit"]) == (its["value"], its["unit"]):
        said = f"is line {first} again: take one out"
        return Finding("returns", line, body, "duplicate-return", said)
    return _contradicts(line, body, row, f"line {first} says {its['value']} {its['unit']}")


def _contradicts(line: int, body: str, row: Mapping[str, str], other: str) -> Finding:
    said = (
        f"{row['value']} {row['unit']} is told, and {other} for the same figure as received on"
        f" {row['received']}: correct one, or say when the later one was received"
    )
    return Finding("returns", line, body, "contradicting-return", said)
