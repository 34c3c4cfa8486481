"""How users and their devices come in."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, select, update

from baygrid.ports.basics import Instant
from baygrid.ports.identity import DeviceRow, DeviceState, InvitationRow, Level, Of, OfKind
from baygrid.ports.records import Scope
from baygrid.store.documents import clean
from baygrid.store.sql import Row, Session, Statement, insert_all_or_raise, insert_new, number, text
from baygrid.store.user_tables import devices, invitations

_I, _D = invitations.c, devices.c
_INSERT = insert_new(invitations)
_INVITATIONS = select(
    _I.id, _I.sha256, _I.kind, _I.name, _I.level, _I.email, _I.made_at, _I.made_by, _I.expires_at,
    _I.used_at, _I.used_by, _I.revoked_at,
)  # fmt: skip
_BY_DIGEST = Statement(_INVITATIONS.where(_I.sha256 == text("digest")))
_BY_ID = Statement(_INVITATIONS.where(_I.id == text("key")))
_TO = Statement(
    _INVITATIONS.where(_I.kind == text("sort"), _I.name == text("of")).order_by(_I.made_at.desc(), _I.id)
)
_OPEN = (_I.id == text("key"), _I.used_at.is_(None), _I.revoked_at.is_(None))
_USE = Statement(
    update(invitations)
    .where(*_OPEN, _I.expires_at > number("now"))
    .values(used_at=number("now"), used_by=text("who"))
)
_REVOKE = Statement(update(invitations).where(*_OPEN).values(revoked_at=number("now")))

_INSERT_DEVICE = insert_new(devices)
_DEVICES = select(
    _D.id, _D.sha256, _D.code, _D.label, _D.made_at, _D.expires_at, _D.asked_at, _D.state, _D.user, _D.hat,
    _D.scopes,
)  # fmt: skip
_DEVICE = Statement(_DEVICES.where(_D.sha256 == text("digest")))
_BY_CODE = Statement(_DEVICES.where(_D.code == text("typed")))
_CHANGE = Statement(
    update(devices)
    .where(_D.id == text("key"), _D.state == text("was"))
    .values(
        asked_at=number("asks_at"),
        state=text("becomes"),
        user=text("of_user"),
        hat=text("wears"),
        scopes=text("good_for"),
    )
)
_WAITING = Statement(select(func.count()).select_from(devices).where(_D.state == text("now_is")))
_FORGET = Statement(delete(devices).where(_D.expires_at < number("before")))


def _invitation(row: Row) -> InvitationRow:
    id, sha256, kind, name, level, *rest = row
    return InvitationRow(id, sha256, Of(OfKind(kind), name), Level(level), *rest)


def _device(row: Row) -> DeviceRow:
    values = list(row)
    values[7] = DeviceState(row[7])
    values[10] = None if row[10] is None else frozenset(map(Scope, row[10].split()))
    return DeviceRow(*values)


def _words(scopes: Iterable[Scope] | None) -> str | None:
    return None if scopes is None else " ".join(sorted(scopes))


class Entries:
    """Implements `ports.identity.Entries`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert_invitation(self, row: InvitationRow) -> None:
        params = {
            "id": row.id,
            "sha256": row.sha256,
            "kind": row.of.kind.value,
            "name": row.of.name,
            "level": row.level.value,
            "email": clean(row.email),
            "made_at": row.made_at,
            "made_by": row.made_by,
            "expires_at": row.expires_at,
            "used_at": row.used_at,
            "used_by": row.used_by,
            "revoked_at": row.revoked_at,
        }
        insert_all_or_raise(self._session, _INSERT, [params], f"an invitation {row.id!r}")

    def invitation(self, sha256: str) -> InvitationRow | None:
        rows = self._session.all(_BY_DIGEST, {"digest": sha256})
        return _invitation(rows[0]) if rows else None

    def invitations(self, of: Of) -> list[InvitationRow]:
        rows = self._session.all(_TO, {"sort": of.kind.value, "of": clean(of.name)})
        return [_invitation(row) for row in rows]

    def find_invitation(self, id: str) -> InvitationRow | None:
        rows = self._session.all(_BY_ID, {"key": clean(id)})
        return _invitation(rows[0]) if rows else None

    def use_invitation(self, id: str, user: str, now: Instant) -> bool:
        return self._session.change(_USE, {"key": id, "now": now, "who": user}) == 1

    def revoke_invitation(self, id: str, now: Instant) -> bool:
        return self._session.change(_REVOKE, {"key": id, "now": now}) == 1

    def insert_device(self, row: DeviceRow) -> None:
        params = {
            "id": row.id,
            "sha256": row.sha256,
            "code": row.code,
            "label": clean(row.label),
            "made_at": row.made_at,
            "expires_at": row.expires_at,
            "asked_at": row.asked_at,
            "state": row.state.value,
            "user": row.user,
            "hat": row.hat,
            "scopes": _words(row.scopes),
        }
        insert_all_or_raise(self._session, _INSERT_DEVICE, [params], "a device with this code")

    def device(self, sha256: str) -> DeviceRow | None:
        rows = self._session.all(_DEVICE, {"digest": sha256})
        return _device(rows[0]) if rows else None

    def device_of_code(self, code: str) -> DeviceRow | None:
        rows = self._session.all(_BY_CODE, {"typed": clean(code)})
        return _device(rows[0]) if rows else None

    def change_device(self, before: DeviceRow, after: DeviceRow) -> bool:
        params = {
            "key": before.id,
            "was": before.state.value,
            "asks_at": after.asked_at,
            "becomes": after.state.value,
            "of_user": after.user,
            "wears": after.hat,
            "good_for": _words(after.scopes),
        }
        return self._session.change(_CHANGE, params) == 1

    def waiting_devices(self) -> int:
        ((count,),) = self._session.all(_WAITING, {"now_is": DeviceState.WAITING.value})
        return int(count)

    def forget_devices(self, before: Instant) -> None:
        self._session.change(_FORGET, {"before": before})
