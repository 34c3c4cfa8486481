"""The double-entry ledger: transactions that balance, posted once, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, bindparam, cast, exists, func, select
from sqlalchemy import text as verbatim

from baygrid.core.pricing.months import Month
from baygrid.core.pricing.postings import Posting, Transaction
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.money_tables import charges, ledger, postings
from baygrid.store.paper_tables import closes
from baygrid.store.sql import (
    SQLITE,
    Row,
    Session,
    Statement,
    among,
    insert_all_or_raise,
    insert_new,
    number,
    text,
)

MONTHS: Final = 0x6D6F
"""The class of PostgreSQL's advisory locks of months: shared by who posts, alone for who closes."""

_INSERT = insert_new(ledger)
_INSERT_POSTINGS = insert_new(postings)
_PAGE = (
    select(ledger).where(ledger.c.id > text("after")).order_by(ledger.c.id).limit(number("count")).subquery()
)
_L, _P = ledger.c, postings.c
_TRANSACTIONS = Statement(
    select(
        _PAGE.c.id, _PAGE.c.key, _PAGE.c.at, _PAGE.c.narration, _PAGE.c.sources, _P.account, _P.amount,
        _P.currency,
    )
    .select_from(_PAGE.outerjoin(postings, _P.ledger == _PAGE.c.id))
    .order_by(_PAGE.c.id, _P.n)
)  # fmt: skip
_ROWS = (
    select(_L.id, _L.key, _L.at, _L.narration, _L.sources, _P.account, _P.amount, _P.currency)
    .select_from(ledger.outerjoin(postings, _P.ledger == _L.id))
    .order_by(_L.at, _L.id, _P.n)
)
_OF_KEY = Statement(_ROWS.where(_L.key == text("is_key")))


def _in_time(of: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return _ROWS.where(
        _L.at >= number("start"), _L.at < number("until"), _L.id.in_(select(_P.ledger).where(of))
    )


_MOVEMENTS = Statement(_in_time(among(_P.account, "keys")))
_earning = postings.alias("earning")
# The first condition is that of the index `ledger_others`, word for word.
_OTHER_INCOME = Statement(
    _ROWS.where(
        verbatim("substr(ledger.key, 1, 7) <> 'charge:'"),
        _L.at >= number("start"),
        _L.at < number("until"),
        exists().where(
            _earning.c.ledger == _L.id,
            _earning.c.account.like("Income:%"),
            _earning.c.account.not_like("Income:Compute:%"),
        ),
    )
)
_OLDEST = Statement(
    select(select(func.min(_L.at)).scalar_subquery(), select(func.min(charges.c.at)).scalar_subquery())
)
_SUMS = select(_P.account, _P.currency, cast(func.sum(_P.amount), BigInteger)).group_by(
    _P.account, _P.currency
)
_BALANCES = Statement(_SUMS)
_STANDING = Statement(
    _SUMS.join_from(postings, ledger, _P.ledger == _L.id).where(
        among(_P.account, "keys"), _L.at < number("until")
    )
)
_SHARE = Statement(
    select(
        func.pg_advisory_xact_lock_shared(
            bindparam("what", type_=Integer()), bindparam("of_month", type_=Integer())
        )
    )
)
_UNTIL = Statement(select(func.coalesce(func.max(closes.c.until), 0)))


def _transactions(rows: Iterable[Row]) -> list[Transaction]:
    found: dict[str, tuple[tuple[str, int, str, tuple[str, ...]], list[Posting]]] = {}
    for id, key, at, narration, sources, account, amount, currency in rows:
        if id not in found:
            found[id] = ((key, at, narration, tuple(loads(sources))), [])
        if account is not None:
            found[id][1].append(Posting(account, Money(amount, currency)))
    return [
        Transaction(id, key, at, narration, tuple(parts), sources)
        for id, ((key, at, narration, sources), parts) in found.items()
    ]


class Ledger:
    """The part of `ports.store.Money` that keeps the books."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def post(self, transactions: Sequence[Transaction]) -> None:
        """On Exists the transaction is to be given up: others of `transactions` may have been written."""
        times = self.opened(transaction.at for transaction in transactions)
        heads = [
            {
                "id": transaction.id,
                "key": clean(transaction.key),
                "at": times[transaction.at],
                "narration": clean(transaction.narration),
                "sources": dumps(transaction.sources),
            }
            for transaction in transactions
        ]
        rows = [
            {
                "ledger": transaction.id,
                "n": n,
                "account": clean(posting.account),
                "currency": posting.money.currency,
                "amount": posting.money.minor,
            }
            for transaction in transactions
            for n, posting in enumerate(transaction.postings)
        ]
        insert_all_or_raise(self._session, _INSERT, heads, "a ledger transaction with this key")
        insert_all_or_raise(self._session, _INSERT_POSTINGS, rows, "a posting of this ledger transaction")

    def opened(self, times: Iterable[Instant]) -> dict[Instant, Instant]:
        """Each of these, or the beginning of the open month where its own is closed: no month of them is
        closed before this transaction ends."""
        return {at: self._opened(at) for at in sorted(set(times))}

    def _opened(self, at: Instant) -> Instant:
        """The lock comes first and is its own statement: what it waited for is seen by the next one."""
        while True:
            if self._session.dialect != SQLITE:
                self._session.all(_SHARE, {"what": MONTHS, "of_month": Month.of(at).index})
            until: Instant = self._session.all(_UNTIL, {})[0][0]
            if at >= until:
                return at
            at = until

    def transactions(self, after: str | None, limit: int) -> list[Transaction]:
        return _transactions(self._session.all(_TRANSACTIONS, {"after": after or "", "count": limit}))

    def transaction(self, key: str) -> Transaction | None:
        found = _transactions(self._session.all(_OF_KEY, {"is_key": key}))
        return found[0] if found else None

    def movements(self, accounts: Sequence[str], start: Instant, end: Instant) -> list[Transaction]:
        params = {"keys": self._session.texts(accounts), "start": start, "until": end}
        return _transactions(self._session.all(_MOVEMENTS, params))

    def other_income(self, start: Instant, end: Instant) -> list[Transaction]:
        return _transactions(self._session.all(_OTHER_INCOME, {"start": start, "until": end}))

    def oldest(self) -> Instant | None:
        return min((at for at in self._session.all(_OLDEST, {})[0] if at is not None), default=None)

    def standing(self, accounts: Sequence[str], before: Instant) -> dict[tuple[str, str], int]:
        params = {"keys": self._session.texts(accounts), "until": before}
        return {(name, currency): total for name, currency, total in self._session.all(_STANDING, params)}

    def balances(self) -> dict[tuple[str, str], int]:
        return {(account, currency): total for account, currency, total in self._session.all(_BALANCES, {})}
