"""What centres with queues of their own were asked, and what they said: one row for each, the newest only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import select, update

from baygrid.ports.basics import Instant
from baygrid.ports.messages import Forecast, Inquiry
from baygrid.ports.wire import decode, encode
from baygrid.store.sql import Session, Statement, insert_new, number, text
from baygrid.store.tables import estimates

_C = estimates.c
_INSERT = insert_new(estimates)
_ASK = Statement(
    update(estimates).where(_C.centre == text("key")).values(asked=text("document"), asked_at=number("now"))
)
_TELL = Statement(
    update(estimates).where(_C.centre == text("key")).values(told=text("document"), told_at=number("now"))
)
_ASKED = Statement(select(_C.asked).where(_C.centre == text("key"), _C.asked_at >= number("since")))
_TOLD = Statement(select(_C.centre, _C.told).where(_C.told_at >= number("since")).order_by(_C.centre))


@lru_cache(maxsize=1024)
def _inquiries(document: str) -> tuple[Inquiry, ...]:
    return decode(tuple[Inquiry, ...], document)


@lru_cache(maxsize=1024)
def _forecasts(document: str) -> tuple[Forecast, ...]:
    return decode(tuple[Forecast, ...], document)


class Estimates:
    """Implements `ports.store.Estimates`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(self, asked: Mapping[str, Sequence[Inquiry]], now: Instant) -> None:
        for centre, inquiries in sorted(asked.items()):
            document = encode(inquiries).decode()
            if not self._session.change(_ASK, {"key": centre, "document": document, "now": now}):
                row = {"centre": centre, "asked": document, "asked_at": now, "told": "[]", "told_at": 0}
                self._session.change(_INSERT, row)

    def asked(self, centre: str, since: Instant) -> tuple[Inquiry, ...]:
        found = self._session.all(_ASKED, {"key": centre, "since": since})
        return _inquiries(found[0][0]) if found else ()

    def tell(self, centre: str, told: Sequence[Forecast], now: Instant) -> None:
        self._session.change(_TELL, {"key": centre, "document": encode(told).decode(), "now": now})

    def told(self, since: Instant) -> dict[str, tuple[Forecast, ...]]:
        return {centre: _forecasts(told) for centre, told in self._session.all(_TOLD, {"since": since})}
