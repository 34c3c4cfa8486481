"""Recipients and their tokens. An activation link makes its token once: a conditional update."""

from __future__ import annotations

from sqlalchemy import case, or_, select, update

from baygrid.ports.basics import Instant
from baygrid.ports.contracts import RecipientRow, RecipientToken
from baygrid.store.contract_tables import recipient_tokens, recipients
from baygrid.store.documents import clean
from baygrid.store.sql import Row, Session, Statement, insert_all_or_raise, insert_new, number, text

_R, _T = recipients.c, recipient_tokens.c
_INSERT = insert_new(recipients)
_ROWS = select(_R.id, _R.project, _R.name, _R.made_at, _R.made_by).order_by(_R.project, _R.name)
_ONE = Statement(_ROWS.where(_R.project == text("of"), _R.name == text("name")))
_BY_ID = Statement(_ROWS.where(_R.id == text("key")))
_ALL = Statement(_ROWS)
_OF_PROJECT = Statement(_ROWS.where(_R.project == text("of")))
_INSERT_TOKEN = insert_new(recipient_tokens)
_TOKEN_COLUMNS = (
    _T.id, _T.recipient, _T.link, _T.link_until, _T.lasts_ms, _T.made_at, _T.made_by, _T.digest,
    _T.activated_at, _T.expires_at, _T.revoked_at,
)  # fmt: skip
_TOKENS = Statement(select(*_TOKEN_COLUMNS).where(_T.recipient == text("of")).order_by(_T.made_at, _T.id))
_ACTIVATE = Statement(
    update(recipient_tokens)
    .where(
        _T.link == text("key"),
        _T.activated_at.is_(None),
        _T.revoked_at.is_(None),
        _T.link_until > number("now"),
    )
    .values(digest=text("secret"), activated_at=number("now"), expires_at=number("now") + _T.lasts_ms)
    .returning(*_TOKEN_COLUMNS)
)
_END = Statement(
    update(recipient_tokens)
    .where(
        _T.recipient == text("of"),
        _T.revoked_at.is_(None),
        or_(_T.activated_at.is_(None), _T.expires_at > number("at")),
    )
    .values(
        revoked_at=case((_T.activated_at.is_(None), number("now")), else_=_T.revoked_at),
        expires_at=case((_T.activated_at.is_(None), _T.expires_at), else_=number("at")),
    )
)
_REVOKE = Statement(
    update(recipient_tokens)
    .where(_T.recipient == text("of"), _T.revoked_at.is_(None))
    .values(revoked_at=number("at"))
)
_BEARER = (
    select(_R.id, _R.project, _R.name, _R.made_at, _R.made_by, *_TOKEN_COLUMNS)
    .join_from(recipient_tokens, recipients, _T.recipient == _R.id)
)  # fmt: skip
_BY_DIGEST = Statement(_BEARER.where(_T.digest == text("key")))
_BY_TOKEN = Statement(_BEARER.where(_T.id == text("key")))


class Recipients:
    """Implements `ports.contracts.Recipients`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, row: RecipientRow) -> None:
        params = {
            "id": row.id,
            "project": row.project,
            "name": row.name,
            "made_at": row.made_at,
            "made_by": row.made_by,
        }
        insert_all_or_raise(self._session, _INSERT, [params], f"a recipient {row.name!r}")

    def get(self, project: str, name: str) -> RecipientRow | None:
        rows = self._session.all(_ONE, {"of": project, "name": clean(name)})
        return RecipientRow(*rows[0]) if rows else None

    def page(self, project: str | None) -> list[RecipientRow]:
        if project is None:
            return [RecipientRow(*row) for row in self._session.all(_ALL, {})]
        return [RecipientRow(*row) for row in self._session.all(_OF_PROJECT, {"of": project})]

    def insert_token(self, row: RecipientToken) -> None:
        params = {name: getattr(row, name) for name in recipient_tokens.c.keys()}  # noqa: SIM118 - no dict
        insert_all_or_raise(self._session, _INSERT_TOKEN, [params], f"a token {row.id!r}")

    def tokens(self, recipient: str) -> list[RecipientToken]:
        return [RecipientToken(*row) for row in self._session.all(_TOKENS, {"of": recipient})]

    def activate(self, link: str, digest: str, now: Instant) -> tuple[RecipientRow, RecipientToken] | None:
        row = self._session.returning(_ACTIVATE, {"key": link, "secret": digest, "now": now})
        if row is None:
            return None
        token = RecipientToken(*row)
        ((*of,),) = self._session.all(_BY_ID, {"key": token.recipient})
        return RecipientRow(*of), token

    def end(self, recipient: str, now: Instant, at: Instant) -> int:
        return self._session.change(_END, {"of": recipient, "now": now, "at": at})

    def revoke(self, recipient: str, at: Instant) -> int:
        return self._session.change(_REVOKE, {"of": recipient, "at": at})

    def bearer(self, digest: str) -> tuple[RecipientRow, RecipientToken] | None:
        return _both(self._session.all(_BY_DIGEST, {"key": digest}))

    def holder(self, token: str) -> tuple[RecipientRow, RecipientToken] | None:
        return _both(self._session.all(_BY_TOKEN, {"key": token}))


def _both(rows: list[Row]) -> tuple[RecipientRow, RecipientToken] | None:
    if not rows:
        return None
    (row,) = rows
    return RecipientRow(*row[:5]), RecipientToken(*row[5:])
