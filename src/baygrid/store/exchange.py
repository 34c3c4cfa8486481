"""Members of the exchange besides the centres, and what was measured of its links."""

from __future__ import annotations

from dataclasses import astuple

from sqlalchemy import delete, select, update

from baygrid.core.placement.links import Sample
from baygrid.ports.records import LinkRecord, MemberKind, MemberRecord
from baygrid.store.documents import dumps, loads
from baygrid.store.sql import Row, Session, Statement, insert_all_or_raise, insert_new, text
from baygrid.store.tables import links, members

_ADD = insert_new(members)
_MEMBERS = Statement(select(members.c.name, members.c.kind, members.c.added_at).order_by(members.c.name))
_REMOVE = Statement(delete(members).where(members.c.name == text("member")))
_L = links.c
_NEW_LINK = insert_new(links)
_RENEW = Statement(
    update(links).where(_L.source == text("from"), _L.target == text("to")).values(samples=text("now"))
)
_ROWS = select(_L.source, _L.target, _L.samples)
_LINKS = Statement(_ROWS.order_by(_L.source, _L.target))
_LINK = Statement(_ROWS.where(_L.source == text("from"), _L.target == text("to")))


def _link(row: Row) -> LinkRecord:
    source, target, samples = row
    return LinkRecord(source, target, tuple(Sample(*values) for values in loads(samples)))


class Exchange:
    """Implements `ports.store.Exchange`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_member(self, row: MemberRecord) -> None:
        params = {"name": row.name, "kind": row.kind.value, "added_at": row.added_at}
        insert_all_or_raise(self._session, _ADD, [params], f"member {row.name!r}")

    def remove_member(self, name: str) -> bool:
        return self._session.change(_REMOVE, {"member": name}) == 1

    def members(self) -> list[MemberRecord]:
        rows = self._session.all(_MEMBERS, {})
        return [MemberRecord(name, MemberKind(kind), added_at) for name, kind, added_at in rows]

    def links(self) -> list[LinkRecord]:
        return [_link(row) for row in self._session.all(_LINKS, {})]

    def link(self, source: str, target: str) -> LinkRecord | None:
        found = self._session.all(_LINK, {"from": source, "to": target})
        return _link(found[0]) if found else None

    def put_link(self, row: LinkRecord) -> None:
        samples = dumps([astuple(one) for one in row.samples])
        if not self._session.change(_RENEW, {"from": row.source, "to": row.target, "now": samples}):
            params = {"source": row.source, "target": row.target, "samples": samples}
            insert_all_or_raise(self._session, _NEW_LINK, [params], f"link {row.source}-{row.target}")
