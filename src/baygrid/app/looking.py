"""What a table looks like, for whoever thinks of asking for it: figures of its columns and a few rows, of
such columns only of which a person has said that they are harmless; and what somebody looked for in vain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.once import Once, answered
from baygrid.app.platform import Platform
from baygrid.app.problems import Forbidden, Invalid
from baygrid.app.projects import find_project
from baygrid.app.sources import Unreadable, reader_of, source_of
from baygrid.app.tables import checked, find_table, is_own
from baygrid.core.data import described
from baygrid.core.data.labelling import harmless
from baygrid.core.data.terms import Terms
from baygrid.ports.basics import Instant
from baygrid.ports.data import TableRow, WishRow
from baygrid.ports.reader import BadExpression, Name, ReadFailed, Shared, Source
from baygrid.ports.store import Tx

MOST_ROWS: Final = 100
_COUNTS: Final = ("rows", "nulls", "distinct")
"""Figures that show no value."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Figures by column; `withheld`: columns of which none are shown."""

    columns: Mapping[str, Mapping[str, Any]]
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """`stream`: Arrow IPC; None where every column is `withheld`."""

    stream: bytes | None
    withheld: tuple[str, ...]


def profile(platform: Platform, actor: Actor, project: str, name: str) -> Profile:
    """For its owner every column is counted. Values, the least and the greatest, are shown of harmless
    columns only, whoever asks. Raises NotFound, NoReader, Unreadable."""
    permit(actor, Action.BROWSE)
    row, source, own = platform.store.read(lambda tx: _load(platform, tx, actor, project, name))
    open = _harmless(row)
    asked = [it.name for it in row.columns] if own else open
    try:
        found = reader_of(platform).profile(source, asked) if asked else {}
    except ReadFailed as error:
        raise Unreadable(str(error)) from None
    columns = {
        column: {what: value for what, value in figures.items() if column in open or what in _COUNTS}
        for column, figures in found.items()
        if column in asked
    }
    return Profile(columns, tuple(it.name for it in row.columns if it.name not in columns))


def sample(platform: Platform, actor: Actor, project: str, name: str, rows: int) -> Sample:
    """Some rows, of harmless columns only, whoever asks; to others than its owner only where it is open. The
    audit has it. Raises Forbidden, NotFound, NoReader, Unreadable."""
    permit(actor, Action.BROWSE)
    row, source, own = platform.store.read(lambda tx: _load(platform, tx, actor, project, name))
    if not own and not row.open:
        raise Forbidden(f"{row.ref} is not open: its rows are read under a contract")
    open = _harmless(row)
    withheld = tuple(it.name for it in row.columns if it.name not in open)
    if not open:
        return Sample(None, withheld)
    now = platform.clock()
    said = {"table": row.ref, "version": row.version, "columns": open, "rows": rows, "by": actor.token_id}
    platform.store.write(
        lambda tx: tx.audit.append(now, "table-sampled", said, contract=None, project=actor.project)
    )
    terms = Terms(columns=tuple(open))
    try:
        some = f"SELECT * FROM it LIMIT {rows:d}"  # noqa: S608 - a number
        parts = reader_of(platform).query(some, rows, _Sampler(Shared(source, terms, b"")))
        return Sample(b"".join(parts), withheld)
    except (ReadFailed, BadExpression) as error:
        raise Unreadable(str(error)) from None


@dataclass(frozen=True, slots=True)
class _Sampler:
    """Implements `ports.reader.Asker` for the one table."""

    it: Shared

    def tables(self, names: Sequence[Name]) -> Mapping[Name, Shared]:
        return dict.fromkeys(names, self.it)

    def waits(self) -> bool:
        return True

    def goes(self, size: int) -> None:
        """A few rows of what is harmless and open: no contract is asked for them."""

    def answered(self, rows: int, withheld: int | None) -> None:
        """That it is asked for was told before."""


def _load(platform: Platform, tx: Tx, actor: Actor, project: str, name: str) -> tuple[TableRow, Source, bool]:
    row = find_table(tx, project, name)
    return row, source_of(platform, tx, row), is_own(platform.catalogue.at(tx), actor, row)


def _harmless(row: TableRow) -> list[str]:
    return [it.name for it in row.columns if harmless(row.labels.get(it.name))]


def wish(
    platform: Platform, actor: Actor, project: str | None, text: str, once: Once | None = None
) -> WishRow:
    """Counts what somebody looks for and the catalogue does not have. Raises Invalid, NotFound."""
    project = project or actor.project
    if project is None:
        raise Invalid.at("project", "is missing: say who looks for it")
    permit(actor, Action.USE, project=project)
    key, written = checked("text", lambda: described.wish(text))
    now = platform.clock()

    def apply(tx: Tx) -> WishRow:
        find_project(tx, project)
        answered(tx, project, once, now, lambda: _wish(tx, key, written, project, now))
        return next(row for row in tx.catalogue.wishes() if described.folded(row.text) == key)

    return platform.store.write(apply)


def _wish(tx: Tx, key: str, written: str, project: str, now: Instant) -> str:
    tx.catalogue.wish(key, written, project, now)
    return key


def wishes(platform: Platform, actor: Actor) -> list[WishRow]:
    """Most wished for first; by whom, nobody is told."""
    permit(actor, Action.BROWSE)
    return platform.store.read(lambda tx: tx.catalogue.wishes())
