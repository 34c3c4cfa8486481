"""Files of shared tables: made once for all who read the same version under the same grant, by one maker at a
time, and gone when nobody asks for them any more. A server has several makers, each with a name of its own: a
table that takes long holds up no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import structlog

from baygrid.app import persons
from baygrid.app.contract_steps import loaded
from baygrid.app.crossing import Crossing
from baygrid.app.persons import counts_at_all, expose, key_of, salt_of, shown
from baygrid.app.platform import Platform
from baygrid.app.problems import Problem
from baygrid.app.shared_tables import digest
from baygrid.app.sources import reader_of, source_of
from baygrid.core.data.contracts import State as ContractState
from baygrid.core.days import beginning, day_of
from baygrid.ports.basics import Instant
from baygrid.ports.contracts import GrantRow
from baygrid.ports.reader import BadExpression, File, ReadFailed, Source
from baygrid.ports.shares import Kind, SharedFile, SnapshotRow
from baygrid.ports.store import Tx

LEASE_MS: Final = 60_000
"""A server that makes files and is not heard of for so long is dead: another one makes them."""
IDLE_MS: Final = 2 * 3_600_000
"""Longer than addresses live: what nobody was given one of for so long is in nobody's hands."""
SWEEP_MS: Final = 60_000
SWEPT: Final = 50
PIECE: Final = 1 << 20

log = structlog.get_logger("baygrid.sharing")


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be made, and of what."""

    row: SnapshotRow
    it: Crossing
    grant: GrantRow
    source: Source

    @property
    def counted(self) -> str | None:
        """The column of the persons that are to be noted before anybody may read this."""
        personal = counts_at_all(self.it) and self.it.personal(self.grant)
        return self.it.subject(self.grant) if personal else None


def make(platform: Platform, holder: str) -> Instant:
    """Makes what is wanted, one after another; when to come again."""
    while make_next(platform, holder):
        pass
    return platform.clock() + LEASE_MS


def tend(platform: Platform) -> Instant:
    """Notes whom files show, and sweeps; when to come again."""
    observe(platform, platform.clock())
    sweep(platform, platform.clock())
    return platform.clock() + SWEEP_MS


def keep(platform: Platform, holders: Sequence[str]) -> Instant:
    """Says that this server's makers are alive, more often than a lease lasts; when to come again."""
    now = platform.clock()
    if platform.store.read(lambda tx: tx.shares.any_wanted()):
        platform.store.write(lambda tx: tx.shares.keep(holders, now + LEASE_MS))
    return now + LEASE_MS // 3


def make_next(platform: Platform, holder: str) -> bool:
    """Makes the one that is wanted for longest. False: none is."""
    now = platform.clock()
    if not platform.store.read(lambda tx: tx.shares.any_wanted()):
        return False
    row = platform.store.write(lambda tx: tx.shares.claim(holder, now, now + LEASE_MS))
    if row is None:
        return False
    try:
        order = platform.store.read(lambda tx: _order(platform, tx, row))
        if order is None:
            platform.store.write(lambda tx: tx.shares.drop(row.id, now))
        else:
            _make(platform, holder, order)
    except (ReadFailed, BadExpression, Problem) as error:
        said = str(error)
        _failed(platform, holder, row, said)
    except Exception as error:
        _failed(platform, holder, row, f"it broke ({type(error).__name__})")
        raise
    return True


def _failed(platform: Platform, holder: str, row: SnapshotRow, said: str) -> None:
    """Whoever waits for it hears why; the next one who asks has it tried again."""
    log.warning("files of a shared table could not be made", grant=row.wanted.grant, why=said)
    platform.store.write(lambda tx: tx.shares.finish(row.id, holder, platform.clock(), [], said))


def _order(platform: Platform, tx: Tx, row: SnapshotRow) -> _Order | None:
    """None: nobody may read it any more."""
    grant = _alive(tx, row)
    if grant is None:
        return None
    contract = tx.contracts.get(grant.contract)
    assert contract is not None
    it = loaded(tx, contract)
    return _Order(row, it, grant, source_of(platform, tx, it.tables[grant.ref]))


def _make(platform: Platform, holder: str, order: _Order) -> None:
    row = order.row
    with reader_of(platform).folder() as folder:
        written = _written(platform, order, folder)
        if written is None:
            platform.store.write(lambda tx: tx.shares.drop(row.id, platform.clock()))
            return
        now = platform.clock()
        files = [_shared(platform, row, n, file, now) for n, file in enumerate(written)]
        for file, it in zip(written, files, strict=True):
            platform.objects.put(it.key, _pieces(file.path))
    if not platform.store.write(lambda tx: tx.shares.finish(row.id, holder, platform.clock(), files)):
        log.warning("files of a shared table were made twice, or for nobody", snapshot=row.id)


def _written(platform: Platform, order: _Order, folder: Path) -> Sequence[File] | None:
    """None: the table has changed, so that this version cannot be had any more. Whom the files show is noted
    before anybody may have them."""
    reader, wanted, terms = reader_of(platform), order.row.wanted, order.grant.terms
    salt, version = salt_of(platform, order.it.row), wanted.version
    if version is None:
        written = reader.write(order.source, terms, salt, folder, None)
        _note(platform, order, None, wanted.fingerprint)
        return written if reader.look(order.source).fingerprint == wanted.fingerprint else None
    versions = [version] if wanted.kind is Kind.ALL or version == 0 else [version - 1, version]
    for number in versions:
        _note(platform, order, number, f"{wanted.lineage}-{number}")
    if wanted.kind is Kind.CHANGES:
        return reader.changes(order.source, terms, salt, folder, version, version)
    return reader.write(order.source, terms, salt, folder, version)


def _note(platform: Platform, order: _Order, version: int | None, fingerprint: str) -> None:
    """Persons whom that version shows."""
    subject, grant = order.counted, order.grant
    if subject is None or grant.shown == shown(order.it, grant, fingerprint):
        return
    key = key_of(platform, order.it.row.exporter)
    found = reader_of(platform).persons(order.source, grant.terms, subject, key, version)
    expose(platform, grant.id, found, fingerprint)


def _shared(platform: Platform, row: SnapshotRow, n: int, file: File, now: Instant) -> SharedFile:
    id = platform.ids.new("fil", now)
    return SharedFile(id, row.id, n, file.sha256, file.size, file.rows, file.stats, file.change, None)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def sweep(platform: Platform, now: Instant) -> None:
    """Lets go of what nobody uses, and removes what was let go of an hour and more ago."""

    def load(tx: Tx) -> tuple[list[SnapshotRow], list[SnapshotRow]]:
        idle = tx.shares.idle(now - IDLE_MS, SWEPT)
        kept = [row for row in idle if _is_current(tx, row)]
        return kept, [row for row in idle if row not in kept]

    kept, idle = platform.store.read(load)
    if kept or idle:
        platform.store.write(lambda tx: _let_go(tx, kept, idle, now))
    for row in platform.store.read(lambda tx: tx.shares.dropped(now - IDLE_MS, SWEPT)):
        for file in platform.store.read(lambda tx, id=row.id: tx.shares.files([id])):  # type: ignore[misc]
            platform.objects.delete(file.key)
        platform.store.write(lambda tx, id=row.id: tx.shares.forget(id))  # type: ignore[misc]


def _let_go(tx: Tx, kept: Sequence[SnapshotRow], idle: Sequence[SnapshotRow], now: Instant) -> None:
    tx.shares.use([row.id for row in kept], now)
    for row in idle:
        tx.shares.drop(row.id, now)


def _is_current(tx: Tx, row: SnapshotRow) -> bool:
    """Whether whoever asks next is likely to ask for this one."""
    grant = _alive(tx, row)
    if grant is None or row.wanted.kind is not Kind.ALL:
        return False
    same = [it for it in tx.shares.of_grant(grant.id) if it.wanted.kind is Kind.ALL]
    return row.number == max(it.number for it in same)


def _alive(tx: Tx, row: SnapshotRow) -> GrantRow | None:
    """The grant that this is made for; None: nobody may read it any more."""
    grant = tx.contracts.grant(row.wanted.grant)
    contract = None if grant is None else tx.contracts.get(grant.contract)
    if grant is None or contract is None or contract.state is not ContractState.FINALIZED:
        return None
    return grant if digest(grant.terms) == row.wanted.terms else None


def observe(platform: Platform, now: Instant) -> None:
    """Notes as served whom this year's files show, where that was not done yet."""
    year = beginning(date(day_of(now).year, 1, 1))
    for row in platform.store.read(lambda tx: tx.shares.unobserved(year, SWEPT)):
        persons.observe(platform, row.wanted.grant)
        platform.store.write(lambda tx, id=row.id: tx.shares.observed(id, now))  # type: ignore[misc]
