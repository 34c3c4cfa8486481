"""Versions of a shared table as its grant shows them: which there are, what is in them, and whether their
files are made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from baygrid.app.grants import Permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid, Problem
from baygrid.app.sources import reader_of, source_of
from baygrid.core.data.history import History, OutOfHistory, Version
from baygrid.core.data.terms import Terms
from baygrid.ports.basics import Instant
from baygrid.ports.reader import BadExpression, Column, Look, ReadFailed, Source
from baygrid.ports.shares import Kind, SharedFile, SnapshotRow, State, Wanted
from baygrid.ports.store import Tx

AGAIN_MS = 30_000
"""What failed is tried again only after so long."""


class NotReady(Problem):
    status, code, title = 503, "not-ready", "The files of this table are being made"


class Away(Problem):
    status, code, title = 503, "source-away", "The provider's table cannot be read now"


class Gone(Problem):
    status, code, title = 404, "not-as-agreed", "The provider's table no longer has what the contract shares"


@dataclass(frozen=True, slots=True)
class Known:
    """A shared table that may be read, as it is now. `columns`: as the grant shows them."""

    permit: Permit
    source: Source
    look: Look
    columns: tuple[Column, ...]
    terms: str

    @property
    def delta(self) -> bool:
        return self.look.delta is not None

    @property
    def lineage(self) -> str:
        """Of a Delta table its own id."""
        return "" if self.look.delta is None else str(self.look.delta["id"])

    @property
    def changes(self) -> bool:
        """Whether it tells what changed."""
        return self.look.delta is not None and bool(self.look.delta["change_feed"])

    def wanted(self, kind: Kind, version: int | None = None) -> Wanted:
        """`version`: of a Delta table; None: the one that it has now."""
        grant = self.permit.grant.id
        if not self.delta:
            return Wanted(grant, kind, self.terms, "", self.look.fingerprint, None)
        number = self.look.version if version is None else version
        return Wanted(grant, kind, self.terms, self.lineage, str(number), number)


def known(platform: Platform, permit: Permit) -> Known:
    """Raises Away, Gone, NoReader."""
    reader, terms, table = reader_of(platform), permit.grant.terms, permit.table
    source = platform.store.read(lambda tx: source_of(platform, tx, table))
    key = f"{table.ref}/{table.version}"
    with _told():
        look = _looked(platform, key, lambda: reader.look(source))
        columns = reader.check(look.columns, terms)
    return Known(permit, source, look, columns, digest(terms))


def _looked(platform: Platform, key: str, work: Callable[[], Look]) -> Look:
    """Raises Away while another's look at it takes long."""
    found = platform.looks.look(key, platform.clock(), work)
    if found is None:
        raise Away("the provider's table is slow to answer: try again in a moment")
    return found


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with the source, its provider may know; the recipient, only that something is."""
    try:
        yield
    except ReadFailed:
        raise Away("the provider's table cannot be read now: try again, or tell the provider") from None
    except BadExpression:
        raise Gone("the provider's table no longer has what the contract shares: tell the provider") from None


def digest(terms: Terms) -> str:
    """Of what is shown: files of other terms are other files."""
    return hashlib.sha256(json.dumps(terms.to_json(), sort_keys=True).encode()).hexdigest()


def history(platform: Platform, it: Known) -> History:
    """Of a Delta table its versions; of any other only the one that it has now, as it is counted here."""
    if it.look.delta is None:
        now = current(platform, it)
        return History([Version(now.number, now.at)])
    made = {int(version): at for version, at in it.look.delta["made_at"].items()}
    return History([Version(number, made[number]) for number in sorted(made)])


def current(platform: Platform, it: Known) -> SnapshotRow:
    """The snapshot of the version that the table has now, made or not."""
    return want(platform, it, [it.wanted(Kind.ALL)], it.columns)[0]


def want(
    platform: Platform, it: Known, wanted: Sequence[Wanted], columns: tuple[Column, ...]
) -> list[SnapshotRow]:
    """Each as it stands; what there is none of will be made, with these columns."""
    now = platform.clock()
    made = {} if it.look.delta is None else it.look.delta["made_at"]

    def apply(tx: Tx) -> list[SnapshotRow]:
        rows = []
        for one in wanted:
            at = made.get(str(one.version), now)
            row = tx.shares.want(platform.ids.new("snp", now), one, columns, at, now)
            if row.state is State.FAILED and now - row.changed_at >= AGAIN_MS:
                tx.shares.again(row.id, now)
            rows.append(row)
        return rows

    return platform.store.write(apply)


def version_of(platform: Platform, it: Known, number: int | None, at: Instant | None) -> Version:
    """The one that is asked for; neither: the newest. Raises Invalid."""
    past = history(platform, it)
    try:
        if number is not None:
            return past.numbered(number)
        return past.newest if at is None else past.as_of(at)
    except OutOfHistory as error:
        raise Invalid.at("version" if number is not None else "timestamp", str(error)) from None


def columns_of(platform: Platform, it: Known, number: int) -> tuple[Column, ...]:
    """As the grant shows them in that version. Raises Away, Gone."""
    if not it.delta or number == it.look.version:
        return it.columns
    key = f"{it.lineage}@{number}/{it.permit.grant.id}"
    reader = reader_of(platform)
    with _told():
        look = _looked(platform, key, lambda: reader.look(it.source, number))
        return reader.check(look.columns, it.permit.grant.terms)


def as_of(platform: Platform, it: Known, at: Instant) -> Version:
    """The newest version that was there at this time. Raises Invalid."""
    try:
        return history(platform, it).as_of(at)
    except OutOfHistory as error:
        raise Invalid.at("endingTimestamp", str(error)) from None


def since(platform: Platform, it: Known, at: Instant) -> Version:
    """The oldest version made at or after this time. Raises Invalid."""
    try:
        return history(platform, it).since(at)
    except OutOfHistory as error:
        raise Invalid.at("startingTimestamp", str(error)) from None


def ready(
    platform: Platform, it: Known, ids: Sequence[str]
) -> list[tuple[SnapshotRow, list[SharedFile]]] | None:
    """Snapshots of this grant with their files; None while one of them is made. Raises Invalid for what is
    not this grant's or is gone, Away for what could not be made."""

    def load(tx: Tx) -> tuple[list[SnapshotRow | None], list[SharedFile]]:
        return [tx.shares.get(id) for id in ids], tx.shares.files(ids)

    rows, files = platform.store.read(load)
    found = []
    for row in rows:
        if row is None or row.wanted.grant != it.permit.grant.id or row.state in (State.DROPPED, State.GONE):
            raise Invalid.at("pageToken", "is of files that are gone: begin again without it")
        if row.state is State.FAILED:
            raise Away("the provider's table could not be read: try again, or tell the provider")
        if row.state is State.WANTED:
            return None
        found.append((row, [file for file in files if file.snapshot == row.id]))
    return found
