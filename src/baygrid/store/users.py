"""Users, what they belong to, and the browsers in which they are signed in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Text, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from baygrid.ports.basics import Instant
from baygrid.ports.identity import GuessRow, Level, Membership, Of, OfKind, SessionRow, User
from baygrid.store.documents import clean
from baygrid.store.sql import Row, Session, Statement, among, insert_all_or_raise, insert_new, number, text
from baygrid.store.tables import projects
from baygrid.store.user_tables import guesses, memberships, sessions, users

_U, _M, _S, _G = users.c, memberships.c, sessions.c, guesses.c
_COLUMNS = (
    _U.id, _U.issuer, _U.subject, _U.name, _U.email, _U.language, _U.created_at, _U.disabled_at,
)  # fmt: skip
_INSERT = insert_new(users)
_UPDATE = Statement(
    update(users)
    .where(_U.id == text("key"))
    .values(
        name=text("is_called"),
        email=text("mail"),
        language=text("speaks"),
        disabled_at=number("since"),
    )
)
_BY_ID = Statement(select(*_COLUMNS).where(_U.id == text("key")))
_BY_SUBJECT = Statement(select(*_COLUMNS).where(_U.issuer == text("by"), _U.subject == text("of")))
_SOME = Statement(select(*_COLUMNS).where(among(_U.id, "keys")))
_ANY = Statement(select(_U.id).limit(number("count")))
_PASSWORD = Statement(select(_U.password).where(_U.id == text("key")))
_SET_PASSWORD = Statement(update(users).where(_U.id == text("key")).values(password=text("new_password")))

_MEMBER_ROWS = select(_M.user, _M.kind, _M.name, _M.level, _M.made_at, _M.made_by, _M.issuer)
_MEMBERSHIPS = Statement(_MEMBER_ROWS.where(_M.user == text("of")).order_by(_M.kind, _M.name, _M.issuer))
_MEMBERS = Statement(
    _MEMBER_ROWS.where(_M.kind == text("sort"), _M.name == text("of")).order_by(_M.user, _M.issuer)
)
_INSERT_MEMBER = insert_new(memberships)
_REMOVE_MEMBER = Statement(
    delete(memberships).where(
        _M.user == text("who"), _M.kind == text("sort"), _M.name == text("of"), _M.issuer == text("by")
    )
)
_PROJECTS = Statement(
    select(projects.c.name, projects.c.organisation)
    .where(among(projects.c.organisation, "owners"))
    .order_by(projects.c.name)
)

_INSERT_SESSION = insert_new(sessions)
_SESSION_ROWS = select(
    _S.id, _S.sha256, _S.user, _S.hat, _S.csrf, _S.created_at, _S.seen_at, _S.expires_at, _S.ended_at
)
_SESSION = Statement(_SESSION_ROWS.where(_S.sha256 == text("digest")))
_SESSIONS = Statement(_SESSION_ROWS.where(_S.user == text("of")).order_by(_S.id.desc()))
_CHANGE_SESSION = Statement(
    update(sessions)
    .where(_S.id == text("key"), _S.ended_at.is_(None))
    .values(sha256=text("digest"), hat=text("wears"), csrf=text("token"))
)
_SEE = Statement(update(sessions).where(_S.id == text("key")).values(seen_at=number("now")))
_END = Statement(
    update(sessions).where(_S.id == text("key"), _S.ended_at.is_(None)).values(ended_at=number("now"))
)

_GUESS = {name: bindparam(name, type_=BigInteger()) for name in ("count", "last_at", "until")} | {
    "key": bindparam("key", type_=Text())
}
_FOUND = (_G.key, _G.count, _G.last_at, _G.until)
# A write of what is there locks the row and answers with it; of a new key a row that says nothing.
_LOCK_GUESS = Statement(
    sqlite_insert(guesses)
    .values(_GUESS)
    .on_conflict_do_update(index_elements=[_G.key], set_={"count": _G.count})
    .returning(*_FOUND),
    postgresql_insert(guesses)
    .values(_GUESS)
    .on_conflict_do_update(index_elements=[_G.key], set_={"count": _G.count})
    .returning(*_FOUND),
)
_PUT_GUESS = Statement(
    update(guesses)
    .where(_G.key == text("which"))
    .values(count=number("so_many"), last_at=number("now"), until=number("blocked"))
)
_FORGET = Statement(delete(guesses).where(or_(_G.key == text("which"), _G.last_at < number("before"))))


def _membership(row: Row) -> Membership:
    user, kind, name, level, made_at, made_by, issuer = row
    return Membership(user, Of(OfKind(kind), name), Level(level), made_at, made_by, issuer)


class Users:
    """Implements `ports.identity.Users`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: User, password: str | None = None) -> None:
        params = {
            "id": row.id,
            "issuer": row.issuer,
            "subject": clean(row.subject),
            "name": clean(row.name),
            "email": clean(row.email),
            "language": row.language,
            "created_at": row.created_at,
            "disabled_at": row.disabled_at,
            "password": password,
        }
        insert_all_or_raise(self._session, _INSERT, [params], f"a user {row.subject!r}")

    def update(self, row: User) -> None:
        params = {
            "key": row.id,
            "is_called": clean(row.name),
            "mail": clean(row.email),
            "speaks": row.language,
            "since": row.disabled_at,
        }
        self._session.topics.add("tokens")
        self._session.change(_UPDATE, params)

    def get(self, id: str) -> User | None:
        rows = self._session.all(_BY_ID, {"key": clean(id)})
        return User(*rows[0]) if rows else None

    def find(self, issuer: str, subject: str) -> User | None:
        rows = self._session.all(_BY_SUBJECT, {"by": clean(issuer), "of": clean(subject)})
        return User(*rows[0]) if rows else None

    def some(self, ids: Sequence[str]) -> dict[str, User]:
        rows = self._session.all(_SOME, {"keys": self._session.texts(ids)}) if ids else []
        return {row[0]: User(*row) for row in rows}

    def is_empty(self) -> bool:
        return not self._session.all(_ANY, {"count": 1})

    def password(self, id: str) -> str | None:
        rows = self._session.all(_PASSWORD, {"key": id})
        return rows[0][0] if rows else None

    def set_password(self, id: str, password: str) -> None:
        self._session.change(_SET_PASSWORD, {"key": id, "new_password": password})

    def memberships(self, user: str) -> list[Membership]:
        return [_membership(row) for row in self._session.all(_MEMBERSHIPS, {"of": user})]

    def members(self, of: Of) -> list[Membership]:
        rows = self._session.all(_MEMBERS, {"sort": of.kind.value, "of": of.name})
        return [_membership(row) for row in rows]

    def put_membership(self, row: Membership) -> None:
        self.remove_membership(row.user, row.of, row.issuer)
        params = {
            "user": row.user,
            "kind": row.of.kind.value,
            "name": row.of.name,
            "issuer": row.issuer,
            "level": row.level.value,
            "made_at": row.made_at,
            "made_by": row.made_by,
        }
        insert_all_or_raise(self._session, _INSERT_MEMBER, [params], f"a membership of {row.of}")

    def remove_membership(self, user: str, of: Of, issuer: str = "") -> bool:
        self._session.topics.add("tokens")
        params = {"who": user, "sort": of.kind.value, "of": of.name, "by": issuer}
        return self._session.change(_REMOVE_MEMBER, params) == 1

    def projects_of(self, organisations: Sequence[str]) -> dict[str, str]:
        if not organisations:
            return {}
        return dict(self._session.all(_PROJECTS, {"owners": self._session.texts(organisations)}))

    def insert_session(self, row: SessionRow) -> None:
        params = {name: getattr(row, name) for name in sessions.c.keys()}  # noqa: SIM118 - no dict
        insert_all_or_raise(self._session, _INSERT_SESSION, [params], f"a session {row.id!r}")

    def session(self, sha256: str) -> SessionRow | None:
        rows = self._session.all(_SESSION, {"digest": sha256})
        return SessionRow(*rows[0]) if rows else None

    def sessions(self, user: str) -> list[SessionRow]:
        return [SessionRow(*row) for row in self._session.all(_SESSIONS, {"of": user})]

    def change_session(self, id: str, sha256: str, hat: str, csrf: str) -> bool:
        self._session.topics.add("tokens")
        params = {"key": id, "digest": sha256, "wears": hat, "token": csrf}
        return self._session.change(_CHANGE_SESSION, params) == 1

    def see_session(self, id: str, now: Instant) -> None:
        self._session.change(_SEE, {"key": id, "now": now})

    def end_session(self, id: str, now: Instant) -> bool:
        self._session.topics.add("tokens")
        return self._session.change(_END, {"key": id, "now": now}) == 1

    def guess(self, key: str) -> GuessRow:
        row = self._session.returning(_LOCK_GUESS, {"key": key, "count": 0, "last_at": 0, "until": 0})
        assert row is not None, "it writes one row"
        return GuessRow(*row)

    def put_guess(self, row: GuessRow) -> None:
        params = {"which": row.key, "so_many": row.count, "now": row.last_at, "blocked": row.until}
        self._session.change(_PUT_GUESS, params)

    def forget_guesses(self, *, key: str = "", before: Instant = 0) -> None:
        self._session.change(_FORGET, {"which": key, "before": before})
