"""What a contract about data says: read from what a side wants, refused with one sentence where it
cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from baygrid.app.crossing import SAID
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid
from baygrid.app.tables import find_table
from baygrid.core.data.terms import HASH, NULL, Mode, Terms
from baygrid.core.reading import DocumentError, format_instant
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import ContractRow, GrantRow
from baygrid.ports.data import TableRow
from baygrid.ports.reader import BadExpression
from baygrid.ports.store import Tx
from baygrid.rulebooks.cross_border import read_facts

MOST_TABLES: Final = 100
MOST_TEXT: Final = 2_000
ROUTES: Final = ("sc", "cert", "gba_sc")
GROUNDS: Final = ("contract", "hr", "emergency", "legal_duty", "other")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, or offered. `tables` by "PROJECT/NAME", all of one project. None: as it was, or
    nothing is said of it. `start` None, or past: when it becomes final."""

    tables: Mapping[str, Terms] | None = None
    purpose: str | None = None
    ground: str | None = None
    choice: str | None = None
    onward: bool | None = None
    scope: str | None = None
    facts: Mapping[str, Any] | None = None
    start: Instant | None = None
    until: Instant | None = None


def said(row: ContractRow, grants: Sequence[GrantRow]) -> dict[str, Any]:
    """What is on the table, for the step that put it there."""
    return {
        "purpose": row.purpose,
        "ground": row.ground,
        "choice": row.choice,
        "onward": row.onward,
        "scope": row.scope,
        "facts": dict(row.facts),
        "from": format_instant(row.start),
        "until": None if row.until is None else format_instant(row.until),
        "grants": [{"table": it.ref, "terms": it.terms.to_json()} for it in grants],
    }


def stated(row: ContractRow, wanted: Wanted, now: Instant) -> ContractRow:
    """The contract as `wanted` says it. Raises Invalid."""
    _check_words(wanted)
    start = row.start if wanted.start is None else max(wanted.start, now)
    until = row.until if wanted.until is None else wanted.until
    if until is not None and until <= max(start, now):
        raise Invalid.at("until", "must be after now, and after the beginning: nothing could be read")
    changes = {
        name: value
        for name in ("purpose", "ground", "choice", "onward", "scope", "facts")
        if (value := getattr(wanted, name)) is not None
    }
    new = replace(row, start=start, until=until, **changes)
    if new.choice == "gba_sc" and new.onward:
        raise Invalid.at(
            "onward",
            "the contract of the Greater Bay Area lets nothing be passed on outside it (GBA SC Guidelines):"
            " choose another route, or do not pass it on",
        )
    return new


def _check_words(wanted: Wanted) -> None:
    for name, known in (("ground", GROUNDS), ("choice", ROUTES)):
        value = getattr(wanted, name)
        if value is not None and value not in known:
            raise Invalid.at(name, f"must be one of {', '.join(known)}, not {value[:40]!r}")
    for name in ("purpose", "scope"):
        if getattr(wanted, name) is not None:
            check_text(name, getattr(wanted, name))
    for name in wanted.facts or {}:
        if name not in SAID:
            raise Invalid.at(f"facts.{name}", f"is none that the parties say: those are {', '.join(SAID)}")
    nested: dict[str, Any] = {}
    for name, value in (wanted.facts or {}).items():
        *outer, last = name.split(".")
        (nested.setdefault(outer[0], {}) if outer else nested)[last] = value
    try:
        read_facts(nested)
    except DocumentError as wrong:
        raise Invalid.many([(f"facts.{it.path}", it.message) for it in wrong.problems]) from None


def check_text(path: str, text: str) -> None:
    if not text.strip() or len(text) > MOST_TEXT:
        raise Invalid.at(path, f"must be a text of 1 to {MOST_TEXT} characters")


def checked(platform: Platform, tables: Mapping[str, Terms]) -> None:
    """Outside of a transaction, as expressions are read. Raises NotFound for a table that is not in the
    catalogue, Invalid for terms that it cannot have."""
    if len(tables) > MOST_TABLES:
        raise Invalid.at("tables", f"are more than {MOST_TABLES}: make several contracts")
    if len({ref.partition("/")[0] for ref in tables}) > 1:
        raise Invalid.at("tables", "are of several projects: make a contract with each")
    for ref, terms in sorted(tables.items()):
        table = platform.store.read(lambda tx: _table(tx, ref))  # noqa: B023 - read at once
        _check_terms(platform, table, terms)


def granted(
    platform: Platform, tx: Tx, contract: str, tables: Mapping[str, Terms], now: Instant
) -> list[GrantRow]:
    """Of tables and terms that are checked."""
    found = []
    for ref, terms in sorted(tables.items()):
        table = _table(tx, ref)
        id = platform.ids.new("grant", now)
        found.append(GrantRow(id, contract, table.project, table.name, terms))
    return found


def _table(tx: Tx, ref: str) -> TableRow:
    project, _, name = ref[:200].partition("/")
    return find_table(tx, project, name)


def _check_terms(platform: Platform, table: TableRow, terms: Terms) -> None:
    path = f"tables.{table.ref}"
    known = {it.name for it in table.columns}
    for name in (*(terms.columns or ()), *terms.masks):
        if name not in known:
            raise Invalid.at(path, f"has no column {name[:60]!r}: there are {', '.join(sorted(known)[:20])}")
    if terms.columns is not None and not terms.columns:
        raise Invalid.at(path, "shows no column: name some, or leave columns out for all")
    if terms.mode is Mode.AGGREGATE and terms.k < 2:
        raise Invalid.at(path, "figures are over at least k persons: k must be 2 or more")
    if terms.filter is None and all(mask in (HASH, NULL) for mask in terms.masks.values()):
        return
    if platform.reader is None:
        raise Invalid.at(path, "this server reads no tables, so it cannot check a filter or a mask")
    try:
        platform.reader.check(table.columns, terms)
    except BadExpression as bad:
        raise Invalid.at(path, str(bad)) from None
