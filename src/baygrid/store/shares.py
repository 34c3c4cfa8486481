"""Snapshots of shared tables and their files. Each change is one conditional update, so that two servers
never make the same one at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, exists, func, literal_column, or_, select, update

from baygrid.ports.basics import Instant
from baygrid.ports.reader import Column
from baygrid.ports.shares import Kind, SharedFile, SnapshotRow, State, Wanted
from baygrid.ports.store import Conflict
from baygrid.store.data_tables import ALIVE, share_files, share_snapshots
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.sql import Row, Session, Statement, among, insert_all_or_raise, insert_new, number, text

TOPIC = "shares"
"""Something is wanted, or made, or dropped."""
_S, _F = share_snapshots.c, share_files.c
_INSERT = insert_new(share_snapshots)
_INSERT_FILE = insert_new(share_files)
_ROWS = select(
    _S.id, _S.grant, _S.kind, _S.terms, _S.lineage, _S.fingerprint, _S.source_version, _S.number, _S.columns,
    _S.state, _S.at, _S.changed_at, _S.used_at, _S.served_at, _S.observed_at, _S.said, _S.holder, _S.until,
)  # fmt: skip
_ALIVE: ColumnElement[bool] = literal_column(ALIVE)
_FIND = Statement(
    _ROWS.where(
        _S.grant == text("of_grant"),
        _S.kind == text("of_kind"),
        _S.terms == text("of_terms"),
        _S.lineage == text("of_lineage"),
        _S.fingerprint == text("of_fingerprint"),
        _ALIVE,
    )
)
_LAST_OF = (_S.grant == text("of_grant"), _S.kind == text("of_kind"), _S.lineage == text("of_lineage"))
_LAST = Statement(select(func.max(_S.number)).where(*_LAST_OF))
_GET = Statement(_ROWS.where(_S.id == text("key")))
_OF_GRANT = Statement(_ROWS.where(_S.grant == text("of_grant"), _ALIVE).order_by(_S.number, _S.id))
_AGAIN = Statement(
    update(share_snapshots)
    .where(_S.id == text("key"), literal_column("state = 'FAILED'"))
    .values(state="WANTED", changed_at=number("now"), said="")
)
_FREE = and_(literal_column("state = 'WANTED'"), or_(_S.until <= number("now"), _S.holder == text("by")))
_OLDEST = (
    select(_S.id)
    .where(_FREE)
    .order_by(_S.changed_at, _S.id)
    .limit(1)
    .with_for_update(skip_locked=True)  # PostgreSQL: what another claims just now is not the one
    .scalar_subquery()
)
_CLAIM = Statement(
    update(share_snapshots)
    .where(_S.id == _OLDEST, _FREE)
    .values(holder=text("by"), until=number("later"))
    .returning(*_ROWS.selected_columns)
)
_WANTED = Statement(select(_S.id).where(literal_column("state = 'WANTED'")).limit(number("count")))
_KEEP = Statement(
    update(share_snapshots)
    .where(literal_column("state = 'WANTED'"), among(_S.holder, "makers"))
    .values(until=number("later"))
)
_FINISH = Statement(
    update(share_snapshots)
    .where(_S.id == text("key"), literal_column("state = 'WANTED'"), _S.holder == text("by"))
    .values(state=text("now_state"), changed_at=number("now"), said=text("says"), holder="", until=0)
)
_SERVE = Statement(
    update(share_snapshots)
    .where(among(_S.id, "keys"), _S.served_at < number("now"))
    .values(used_at=number("now"), served_at=number("now"))
)
_UNOBSERVED = Statement(
    _ROWS.where(_S.served_at >= number("since"), _S.observed_at < number("since"))
    .order_by(_S.served_at, _S.id)
    .limit(number("most"))
)
_OBSERVED = Statement(update(share_snapshots).where(_S.id == text("key")).values(observed_at=number("now")))
_USE = Statement(
    update(share_snapshots)
    .where(among(_S.id, "keys"), _S.used_at < number("now"))
    .values(used_at=number("now"))
)
_IDLE = Statement(
    _ROWS.where(
        or_(literal_column("state = 'READY'"), literal_column("state = 'FAILED'")),
        _S.used_at < number("before"),
        _S.changed_at < number("before"),
    )
    .order_by(_S.used_at, _S.id)
    .limit(number("most"))
)
_DROP = Statement(
    update(share_snapshots)
    .where(_S.id == text("key"), _ALIVE)
    .values(state="DROPPED", changed_at=number("now"), holder="", until=0)
)
_DROPPED = Statement(
    _ROWS.where(literal_column("state = 'DROPPED'"), _S.changed_at < number("before"))
    .order_by(_S.changed_at, _S.id)
    .limit(number("most"))
)
_GONE = Statement(
    update(share_snapshots)
    .where(_S.id == text("key"), literal_column("state = 'DROPPED'"))
    .values(state="GONE", columns="[]")
    .returning(_S.grant, _S.kind, _S.lineage)
)
_LATER = share_snapshots.alias("later")
_FORGET = Statement(
    delete(share_snapshots).where(
        *_LAST_OF,
        literal_column("state = 'GONE'"),
        exists().where(
            _LATER.c.grant == _S.grant,
            _LATER.c.kind == _S.kind,
            _LATER.c.lineage == _S.lineage,
            _LATER.c.number > _S.number,
        ),
    )
)
_FORGET_FILES = Statement(delete(share_files).where(_F.snapshot == text("key")))
_FILE_ROWS = select(_F.id, _F.snapshot, _F.n, _F.sha256, _F.size, _F.rows, _F.stats, _F.change, _F.persons)
_FILES = Statement(_FILE_ROWS.where(among(_F.snapshot, "keys")).order_by(_F.snapshot, _F.n))
_FILE = Statement(_FILE_ROWS.where(_F.id == text("key")))


def _snapshot(row: Row) -> SnapshotRow:
    id, grant, kind, terms, lineage, fingerprint, version, number, columns, state, *rest = row
    wanted = Wanted(grant, Kind(kind), terms, lineage, fingerprint, version)
    seen = tuple(Column(*each) for each in loads(columns))
    return SnapshotRow(id, wanted, number, seen, State(state), *rest)


def _file(row: Row) -> SharedFile:
    id, snapshot, n, sha256, size, rows, stats, change, persons = row
    return SharedFile(id, snapshot, n, sha256, size, rows, loads(stats), change, persons)


class Shares:
    """Implements `ports.shares.Shares`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def want(
        self, id: str, wanted: Wanted, columns: Sequence[Column], at: Instant, now: Instant
    ) -> SnapshotRow:
        found = self._session.all(_FIND, _key(wanted))
        if found:
            return _snapshot(found[0])
        params = {
            "id": id,
            "grant": wanted.grant,
            "kind": wanted.kind.value,
            "terms": wanted.terms,
            "lineage": clean(wanted.lineage),
            "fingerprint": clean(wanted.fingerprint),
            "source_version": wanted.version,
            "number": self._next(wanted) if wanted.version is None else wanted.version,
            "columns": dumps([[it.name, it.type, it.nullable] for it in columns]),
            "state": State.WANTED.value,
            "at": at,
            "changed_at": now,
            "used_at": now,
            "served_at": 0,
            "observed_at": 0,
            "said": "",
            "holder": "",
            "until": 0,
        }
        if not self._session.change(_INSERT, params):
            raise Conflict("another version of this table was wanted meanwhile")
        self._session.topics.add(TOPIC)
        made = self.get(id)
        assert made is not None, id
        return made

    def _next(self, wanted: Wanted) -> int:
        key = {
            name: value
            for name, value in _key(wanted).items()
            if name in ("of_grant", "of_kind", "of_lineage")
        }
        last = self._session.all(_LAST, key)[0][0]
        return 0 if last is None else int(last) + 1

    def again(self, id: str, now: Instant) -> bool:
        changed = self._session.change(_AGAIN, {"key": id, "now": now}) == 1
        if changed:
            self._session.topics.add(TOPIC)
        return changed

    def claim(self, holder: str, now: Instant, until: Instant) -> SnapshotRow | None:
        row = self._session.returning(_CLAIM, {"by": clean(holder), "now": now, "later": until})
        return None if row is None else _snapshot(row)

    def any_wanted(self) -> bool:
        return bool(self._session.all(_WANTED, {"count": 1}))

    def keep(self, holders: Sequence[str], until: Instant) -> None:
        self._session.change(_KEEP, {"makers": self._session.texts(holders), "later": until})

    def finish(
        self, id: str, holder: str, now: Instant, files: Sequence[SharedFile], said: str | None = None
    ) -> bool:
        state = State.READY if said is None else State.FAILED
        params = {
            "key": id, "by": clean(holder), "now": now, "now_state": state.value, "says": clean(said or ""),
        }  # fmt: skip
        if not self._session.change(_FINISH, params):
            return False
        rows = [
            {
                "id": it.id,
                "snapshot": it.snapshot,
                "n": it.n,
                "sha256": it.sha256,
                "size": it.size,
                "rows": it.rows,
                "stats": dumps(it.stats),
                "change": it.change,
                "persons": it.persons,
            }
            for it in files
        ]
        insert_all_or_raise(self._session, _INSERT_FILE, rows, f"a file of {id!r}")
        self._session.topics.add(TOPIC)
        return True

    def get(self, id: str) -> SnapshotRow | None:
        found = self._session.all(_GET, {"key": id})
        return _snapshot(found[0]) if found else None

    def of_grant(self, grant: str) -> list[SnapshotRow]:
        return [_snapshot(row) for row in self._session.all(_OF_GRANT, {"of_grant": grant})]

    def files(self, snapshots: Sequence[str]) -> list[SharedFile]:
        return [_file(row) for row in self._session.all(_FILES, {"keys": self._session.texts(snapshots)})]

    def file(self, id: str) -> tuple[SharedFile, SnapshotRow] | None:
        found = self._session.all(_FILE, {"key": clean(id)})
        if not found:
            return None
        file = _file(found[0])
        snapshot = self.get(file.snapshot)
        assert snapshot is not None, file
        return file, snapshot

    def use(self, snapshots: Sequence[str], now: Instant) -> None:
        self._session.change(_USE, {"keys": self._session.texts(snapshots), "now": now})

    def serve(self, snapshots: Sequence[str], now: Instant) -> None:
        self._session.change(_SERVE, {"keys": self._session.texts(snapshots), "now": now})

    def unobserved(self, since: Instant, limit: int) -> list[SnapshotRow]:
        return [_snapshot(row) for row in self._session.all(_UNOBSERVED, {"since": since, "most": limit})]

    def observed(self, id: str, now: Instant) -> None:
        self._session.change(_OBSERVED, {"key": id, "now": now})

    def idle(self, before: Instant, limit: int) -> list[SnapshotRow]:
        return [_snapshot(row) for row in self._session.all(_IDLE, {"before": before, "most": limit})]

    def drop(self, id: str, now: Instant) -> None:
        if self._session.change(_DROP, {"key": id, "now": now}):
            self._session.topics.add(TOPIC)

    def dropped(self, before: Instant, limit: int) -> list[SnapshotRow]:
        return [_snapshot(row) for row in self._session.all(_DROPPED, {"before": before, "most": limit})]

    def forget(self, id: str) -> None:
        gone = self._session.returning(_GONE, {"key": id})
        if gone is not None:
            self._session.change(_FORGET_FILES, {"key": id})
            self._session.change(_FORGET, dict(zip(("of_grant", "of_kind", "of_lineage"), gone, strict=True)))


def _key(wanted: Wanted) -> dict[str, str]:
    return {
        "of_grant": wanted.grant,
        "of_kind": wanted.kind.value,
        "of_terms": wanted.terms,
        "of_lineage": clean(wanted.lineage),
        "of_fingerprint": clean(wanted.fingerprint),
    }
