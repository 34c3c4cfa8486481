"""The double-entry ledger: transactions that balance, posted once, never changed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, cast, func, select

from baygrid.core.pricing.postings import Posting, Transaction
from baygrid.core.units import Money
from baygrid.store.documents import clean, dumps, loads
from baygrid.store.money_tables import ledger, postings
from baygrid.store.sql import Session, Statement, insert_all_or_raise, insert_new, number, text

_INSERT = insert_new(ledger)
_INSERT_POSTINGS = insert_new(postings)
_PAGE = (
    select(ledger).where(ledger.c.id > text("after")).order_by(ledger.c.id).limit(number("count")).subquery()
)
_TRANSACTIONS = Statement(
    select(
        _PAGE.c.id,
        _PAGE.c.key,
        _PAGE.c.at,
        _PAGE.c.narration,
        _PAGE.c.sources,
        postings.c.account,
        postings.c.amount,
        postings.c.currency,
    )
    .select_from(_PAGE.outerjoin(postings, postings.c.ledger == _PAGE.c.id))
    .order_by(_PAGE.c.id, postings.c.n)
)
_BALANCES = Statement(
    select(postings.c.account, postings.c.currency, cast(func.sum(postings.c.amount), BigInteger)).group_by(
        postings.c.account, postings.c.currency
    )
)


class Ledger:
    """The part of `ports.store.Money` that keeps the books."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def post(self, transactions: Sequence[Transaction]) -> None:
        """On Exists the transaction is to be given up: others of `transactions` may have been written."""
        heads = [
            {
                "id": transaction.id,
                "key": clean(transaction.key),
                "at": transaction.at,
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

    def transactions(self, after: str | None, limit: int) -> list[Transaction]:
        found: dict[str, tuple[tuple[str, int, str, tuple[str, ...]], list[Posting]]] = {}
        for id, key, at, narration, sources, account, amount, currency in self._session.all(
            _TRANSACTIONS, {"after": after or "", "count": limit}
        ):
            if id not in found:
                found[id] = ((key, at, narration, tuple(loads(sources))), [])
            if account is not None:
                found[id][1].append(Posting(account, Money(amount, currency)))
        return [
            Transaction(id, key, at, narration, tuple(parts), sources)
            for id, ((key, at, narration, sources), parts) in found.items()
        ]

    def balances(self) -> dict[tuple[str, str], int]:
        return {(account, currency): total for account, currency, total in self._session.all(_BALANCES, {})}
