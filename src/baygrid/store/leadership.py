"""The leader's row. Every change is one conditional update, so two servers can never both win."""

from __future__ import annotations

from sqlalchemy import and_, case, literal_column, or_, select, update

from baygrid.ports.basics import Instant
from baygrid.store.documents import clean
from baygrid.store.sql import Session, Statement, number, text
from baygrid.store.tables import leader

_C = leader.c
_MINE = and_(_C.holder == text("by"), _C.until > number("now"))
_CAMPAIGN = Statement(
    update(leader)
    .where(or_(_C.until <= number("now"), _MINE))
    .values(term=case((_MINE, _C.term), else_=_C.term + 1), holder=text("by"), until=number("later"))
    .returning(_C.term)
)
_HELD = and_(_C.term == number("of_term"), _C.holder == text("by"), literal_column("holder <> ''"))
_FENCE = Statement(update(leader).where(_HELD).values(until=number("later")))
_RESIGN = Statement(update(leader).where(_HELD).values(holder="", until=0))
_CURRENT = Statement(select(_C.term, _C.holder, _C.until))


class Leadership:
    """Implements `ports.store.Leadership`. A lease that ran out but that nobody took can still be fenced."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def campaign(self, holder: str, now: Instant, ttl_ms: int) -> int | None:
        won = self._session.returning(_CAMPAIGN, {"by": clean(holder), "now": now, "later": now + ttl_ms})
        return None if won is None else int(won[0])

    def fence(self, term: int, holder: str, now: Instant, ttl_ms: int) -> bool:
        params = {"of_term": term, "by": clean(holder), "later": now + ttl_ms}
        return self._session.change(_FENCE, params) == 1

    def resign(self, term: int, holder: str) -> None:
        self._session.change(_RESIGN, {"of_term": term, "by": clean(holder)})

    def current(self) -> tuple[int, str, Instant]:
        """(0, "", 0) before the first campaign."""
        term, holder, until = self._session.all(_CURRENT, {})[0]
        return term, holder, until
