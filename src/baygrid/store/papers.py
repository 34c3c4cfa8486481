"""Papers, what is due of them, closed months, and the rates that papers are made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Final

from sqlalchemy import BigInteger, Integer, and_, bindparam, cast, func, or_, select, update

from baygrid.core.pricing.months import Month
from baygrid.core.pricing.rates import ExchangeRate, Rate, RateKind
from baygrid.ports.papers import (
    CloseRow,
    DueRow,
    ExchangeRateRow,
    PaperKind,
    PaperRow,
    Party,
    PaymentRow,
    RateRow,
)
from baygrid.store.documents import clean
from baygrid.store.ledger import MONTHS
from baygrid.store.paper_tables import closes, draws, dues, exchange_rates, papers, payments, rates
from baygrid.store.sql import (
    SQLITE,
    Row,
    Session,
    Statement,
    insert_all_or_raise,
    insert_new,
    number,
    text,
)

_NUMBERS: Final = 0x6E75  # the class of PostgreSQL's advisory locks of papers' numbers

_LOCK = Statement(
    select(func.pg_advisory_xact_lock(bindparam("what", type_=Integer()), bindparam("of", type_=Integer())))
)
_CLOSES = Statement(select(closes).order_by(closes.c.until))
_CLOSE = insert_new(closes)

_P, _D = papers.c, dues.c
_INSERT = insert_new(papers)
_INSERT_DUE = insert_new(dues)
_COUNT = Statement(
    select(func.count()).select_from(papers).where(_P.kind == text("of"), _P.month == text("in_month"))
)
_ROWS = select(papers, _D.total, _D.due, _D.paid, _D.forgiven, _D.credited).join_from(
    papers, dues, and_(_D.kind == _P.kind, _D.number == _P.number)
)
_PAPER = Statement(_ROWS.where(_P.kind == text("of"), _P.number == text("key")))
_PAGE = (
    _ROWS.where(_P.kind == text("of"), _P.number > text("after")).order_by(_P.number).limit(number("count"))
)
# By whether a subject and a month are named: one statement for all could use no index of these.
_PAGES = {
    (subject, month): Statement(
        _PAGE.where(
            *[_P.subject == text("about")] * subject,
            *[_P.month == text("in_month")] * month,
        )
    )
    for subject in (False, True)
    for month in (False, True)
}
# A write of the same value locks the row on both databases and answers with what is in it now.
_LOCK_DUE = Statement(
    update(dues)
    .where(_D.kind == text("of"), _D.number == text("key"))
    .values(paid=_D.paid)
    .returning(_D.total, _D.due, _D.paid, _D.forgiven, _D.credited)
)
_SETTLE = Statement(
    update(dues)
    .where(_D.kind == text("of"), _D.number == text("key"))
    .values(
        paid=_D.paid + number("more_paid"),
        forgiven=_D.forgiven + number("more_forgiven"),
        credited=_D.credited + number("more_credited"),
    )
)

_REGARDING = Statement(
    select(_P.number)
    .where(_P.kind == PaperKind.CREDIT_NOTE.value, _P.regards == text("key"))
    .order_by(_P.number)
)
_W = draws.c
_INSERT_DRAW = insert_new(draws)
_DRAWS = Statement(
    select(_W.allocation, cast(func.sum(_W.amount), BigInteger))
    .where(_W.project == text("of"))
    .group_by(_W.allocation)
)
_Y = payments.c
_INSERT_PAYMENT = insert_new(payments, without=["number"])
_PAID = select(
    _Y.party, _Y.subject, _Y.reference, _Y.paper, _Y.amount, _Y.currency, _Y.at, _Y.booked_by
).order_by(_Y.number)
_PAYMENTS = Statement(
    _PAID.where(
        or_(text("of_party") == "", _Y.party == text("of_party")),
        or_(text("about") == "", _Y.subject == text("about")),
    )
)
_PAYMENT = Statement(
    _PAID.where(_Y.party == text("of_party"), _Y.subject == text("about"), _Y.reference == text("by"))
)

_INSERT_RATE = insert_new(rates, without=["number"])
_RATES = Statement(select(rates).order_by(rates.c.number))
_INSERT_EXCHANGE_RATE = insert_new(exchange_rates, without=["number"])
_EXCHANGE_RATES = Statement(select(exchange_rates).order_by(exchange_rates.c.number))


def _paper(row: Row) -> tuple[PaperRow, DueRow]:
    return PaperRow(PaperKind(row[0]), *row[1:10]), DueRow(*row[10:])


def _payment(row: Row) -> PaymentRow:
    return PaymentRow(Party(row[0]), *row[1:])


class Papers:
    """Implements `ports.papers.Papers`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock_month(self, month: Month) -> None:
        self._lock(MONTHS, month)

    def _lock(self, what: int, month: Month) -> None:
        """SQLite has one writer at a time."""
        if self._session.dialect != SQLITE:
            self._session.all(_LOCK, {"what": what, "of": month.index})

    def closes(self) -> list[CloseRow]:
        return [CloseRow(*row) for row in self._session.all(_CLOSES, {})]

    def close(self, row: CloseRow) -> None:
        params = {
            "month": row.month,
            "until": row.until,
            "closed_at": row.closed_at,
            "closed_by": row.closed_by,
        }
        insert_all_or_raise(self._session, _CLOSE, [params], f"a close of {row.month}")

    def next_place(self, kind: PaperKind, month: Month) -> int:
        self._lock(_NUMBERS, month)
        found: int = self._session.all(_COUNT, {"of": kind.value, "in_month": str(month)})[0][0]
        return found + 1

    def insert(self, rows: Sequence[tuple[PaperRow, int]]) -> None:
        issued = [
            {
                "kind": row.kind.value,
                "number": row.number,
                "month": row.month,
                "subject": row.subject,
                "currency": row.currency,
                "issued_at": row.issued_at,
                "total": row.total,
                "sha256": row.sha256,
                "document": row.document,
                "regards": row.regards,
            }
            for row, _ in rows
        ]
        open_dues = [
            {
                "kind": row.kind.value,
                "number": row.number,
                "total": max(row.total, 0),
                "due": max(due, 0),
                "paid": 0,
                "forgiven": 0,
                "credited": 0,
            }
            for row, due in rows
        ]
        insert_all_or_raise(self._session, _INSERT, issued, "a paper with this number")
        insert_all_or_raise(self._session, _INSERT_DUE, open_dues, "a due of this paper")

    def paper(self, kind: PaperKind, number: str) -> tuple[PaperRow, DueRow] | None:
        rows = self._session.all(_PAPER, {"of": kind.value, "key": number})
        return _paper(rows[0]) if rows else None

    def page(
        self, kind: PaperKind, subject: str | None, month: str | None, after: str, limit: int
    ) -> list[tuple[PaperRow, DueRow]]:
        named = {"about": subject, "in_month": month}
        params = {"of": kind.value, "after": after, "count": limit}
        params |= {name: value for name, value in named.items() if value is not None}
        statement = _PAGES[subject is not None, month is not None]
        return [_paper(row) for row in self._session.all(statement, params)]

    def lock_due(self, kind: PaperKind, number: str) -> DueRow | None:
        row = self._session.returning(_LOCK_DUE, {"of": kind.value, "key": number})
        return None if row is None else DueRow(*row)

    def settle(
        self, kind: PaperKind, number: str, *, paid: int = 0, forgiven: int = 0, credited: int = 0
    ) -> None:
        more = {"more_paid": paid, "more_forgiven": forgiven, "more_credited": credited}
        self._session.change(_SETTLE, {"of": kind.value, "key": number, **more})

    def regarding(self, invoice: str) -> list[str]:
        return [number for (number,) in self._session.all(_REGARDING, {"key": invoice})]

    def insert_draws(self, project: str, number: str, drawn: Mapping[str, int]) -> None:
        rows = [
            {"invoice": number, "allocation": id, "project": project, "amount": minor}
            for id, minor in sorted(drawn.items())
        ]
        insert_all_or_raise(self._session, _INSERT_DRAW, rows, f"what invoice {number} drew")

    def draws(self, project: str) -> dict[str, int]:
        return dict(self._session.all(_DRAWS, {"of": project}))

    def insert_payment(self, row: PaymentRow) -> None:
        params = {
            "party": row.party.value,
            "subject": row.subject,
            "reference": clean(row.reference),
            "paper": row.number,
            "amount": row.amount,
            "currency": row.currency,
            "at": row.at,
            "booked_by": row.booked_by,
        }
        insert_all_or_raise(self._session, _INSERT_PAYMENT, [params], f"a payment {row.reference!r}")

    def payment(self, party: Party, subject: str, reference: str) -> PaymentRow | None:
        params = {"of_party": party.value, "about": subject, "by": clean(reference)}
        rows = self._session.all(_PAYMENT, params)
        return _payment(rows[0]) if rows else None

    def payments(self, party: Party | None, subject: str | None) -> list[PaymentRow]:
        params = {"of_party": "" if party is None else party.value, "about": subject or ""}
        return [_payment(row) for row in self._session.all(_PAYMENTS, params)]

    def insert_rate(self, row: RateRow) -> None:
        it = row.rate
        params = {
            "kind": it.kind.value,
            "name": clean(it.name),
            "rate": str(it.rate),
            "since": str(it.since),
            "source": clean(it.source),
            "set_at": row.set_at,
            "set_by": row.set_by,
        }
        self._session.change(_INSERT_RATE, params)

    def rates(self) -> list[RateRow]:
        return [
            RateRow(Rate(RateKind(kind), name, Fraction(rate), Month.parse(since), source), at, by)
            for _, kind, name, rate, since, source, at, by in self._session.all(_RATES, {})
        ]

    def insert_exchange_rate(self, row: ExchangeRateRow) -> None:
        it = row.rate
        params = {
            "base": it.base,
            "quote": it.quote,
            "rate": str(it.rate),
            "day": it.on.isoformat(),
            "source": clean(it.source),
            "set_at": row.set_at,
            "set_by": row.set_by,
        }
        self._session.change(_INSERT_EXCHANGE_RATE, params)

    def exchange_rates(self) -> list[ExchangeRateRow]:
        return [
            ExchangeRateRow(
                ExchangeRate(base, quote, Fraction(rate), date.fromisoformat(day), source), at, by
            )
            for _, base, quote, rate, day, source, at, by in self._session.all(_EXCHANGE_RATES, {})
        ]
