"""What rows of one body come to together, with what was known of it before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Final, TypeVar

from baygrid.core.region.bodies import CLASSIFIER, Body, Label, Labelled, Record, Spell, overlap, record
from baygrid.core.region.proposing import proposed
from baygrid.core.region.rows import Finding

P = TypeVar("P", Spell, Label)
_ADD: Final = "add a row with this id to bodies, or correct the id here"
_ONE: Final = "give one row for each body, and another id to another body"


@dataclass(slots=True)
class Given:
    """The rows of one body, with their lines. `spoilt`: some of its rows could not be read, so that it is
    held back whatever these say."""

    bodies: list[tuple[int, Body]] = field(default_factory=list)
    spells: list[tuple[int, Spell]] = field(default_factory=list)
    labels: list[tuple[int, Label]] = field(default_factory=list)
    spoilt: bool = False


def review(id: str, given: Given, known: Record | None) -> tuple[Record | None, list[Finding]]:
    """The body as it is after these rows, or what is wrong with them.

    A row takes the place of one that begins on the same day; what a row leaves empty stays as it was. Labels
    by the classifier give way to any that come, those by a person not to the classifier's.
    """
    body = _body(given.bodies[0][1] if given.bodies else None, known.body if known else None)
    spells, findings = _periods("addresses", id, given.spells, known.spells if known else (), _starts)
    said, stays = _labels(given.labels, known.labels if known else ())
    labels, wrong = _periods("labels", id, said, stays, _says)
    findings += wrong
    findings += _again(id, given)
    findings += _overlapping("addresses", id, spells, _one_address)
    findings += _overlapping("labels", id, labels, _one_label)
    if body is None and not given.spoilt:
        findings += _unknown(id, given)
    if body is None or findings or given.spoilt:
        return None, findings
    values = [it for _, it in labels]
    if len(kinds := {it.kind for it in values}) < len(Labelled):
        values += [it for it in proposed(body, body.founded) if it.kind not in kinds]
    return record(body, [it for _, it in spells], values), []


def _again(id: str, given: Given) -> list[Finding]:
    return [
        Finding("bodies", line, id, "duplicate-id", f"the id is that of line {given.bodies[0][0]}: {_ONE}")
        for line, it in given.bodies[1:]
        if it != given.bodies[0][1]
    ]


def _unknown(id: str, given: Given) -> list[Finding]:
    rows = [("addresses", line) for line, _ in given.spells] + [("labels", line) for line, _ in given.labels]
    return [
        Finding(table, line, id, "unknown-body", f"there is no body {id!r}: {_ADD}") for table, line in rows
    ]


def _body(new: Body | None, old: Body | None) -> Body | None:
    if new is None or old is None:
        return new or old
    return replace(
        new,
        scheme=new.scheme or old.scheme,
        code=new.code or old.code,
        names={**old.names, **new.names},
        founded=new.founded or old.founded,
        dissolved=new.dissolved or old.dissolved,
        hk_funded=old.hk_funded if new.hk_funded is None else new.hk_funded,
        scope=new.scope or old.scope,
    )


def _labels(
    rows: list[tuple[int, Label]], known: Iterable[Label]
) -> tuple[list[tuple[int, Label]], list[Label]]:
    """Of the rows and of what was known, those that count beside each other."""
    before = list(known)
    by_people = {it.kind for it in before if it.by != CLASSIFIER}
    said = [
        (line, it) for line, it in rows if it.by != CLASSIFIER or it.kind not in by_people or it in before
    ]
    stays = [
        it
        for it in before
        if it.by != CLASSIFIER or not any(it.kind is new.kind and overlap(it, new) for _, new in said)
    ]
    return said, stays


def _starts(it: Spell) -> object:
    return it.since


def _says(it: Label) -> object:
    return (it.kind, it.value, it.since)


def _periods(
    table: str, id: str, rows: Sequence[tuple[int, P]], known: Iterable[P], key: Callable[[P], object]
) -> tuple[list[tuple[int, P]], list[Finding]]:
    """The rows, and with line 0 what was known and has no row now; two rows of one key are a finding."""
    made: dict[object, tuple[int, P]] = {}
    findings: list[Finding] = []
    for line, it in rows:
        first = made.setdefault(key(it), (line, it))
        if first[0] != line and first[1] != it:
            said = f"says otherwise than line {first[0]} for the same beginning: keep one of the two"
            findings.append(Finding(table, line, id, "overlapping-period", said))
    for it in known:
        made.setdefault(key(it), (0, it))
    return list(made.values()), findings


def _overlapping(
    table: str, id: str, rows: list[tuple[int, P]], alone: Callable[[P], object]
) -> list[Finding]:
    """One finding for each row that has days in common with one before it of the same `alone`."""
    by: dict[object, list[tuple[int, P]]] = {}
    for row in rows:
        by.setdefault(alone(row[1]), []).append(row)
    findings = []
    for some in by.values():
        some.sort(key=lambda row: row[1].since or date.min)
        for (line, one), (next_line, other) in pairwise(some):
            if overlap(one, other):
                findings.append(_overlaps(table, id, (line, one), (next_line, other)))
    return findings


def _overlaps(table: str, id: str, one: tuple[int, P], other: tuple[int, P]) -> Finding:
    line, where = max((one[0], other[0]), (other[0], one[0]))
    first = f"line {where}" if where else "what is registered already"
    until = other[1].since.isoformat() if other[1].since else "the day on which the later one begins"
    said = (
        f"{_period(other[1])} has days in common with {_period(one[1])} ({first}): end the earlier one with"
        f" until {until}"
    )
    return Finding(table, line, id, "overlapping-period", said)


def _period(it: Spell | Label) -> str:
    return f"{it.since or 'the beginning'} to {it.until or 'now'}"


def _one_address(_: Spell) -> object:
    return None


def _one_label(it: Label) -> object:
    return it.kind if it.kind is Labelled.LAYER else (it.kind, it.value)
