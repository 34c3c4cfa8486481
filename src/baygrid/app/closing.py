"""The close of a month: its invoices, settlements and claims, all in one transaction, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from baygrid.app.access import Action, Actor, permit
from baygrid.app.monthly import Books, Issued, claims, invoices, read_books, settlements
from baygrid.app.papers import read_month
from baygrid.app.platform import Platform
from baygrid.app.problems import WrongState
from baygrid.core.days import REGION
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.ports.basics import Instant
from baygrid.ports.papers import CloseRow, DueRow, PaperKind, PaperRow
from baygrid.ports.records import Event
from baygrid.ports.store import Tx

OVER_MS: Final = 300_000
"""How long a month must be over: what servers had begun by then has come to its end."""
_EVERY: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Closed:
    """The papers of a month, and in their order what is due of them. `closed_at` None: it was only shown
    what they would be. `missing`: what a reader should know: rates that nobody has set."""

    month: str
    closed_at: Instant | None
    papers: tuple[PaperRow, ...]
    dues: tuple[DueRow, ...]
    missing: tuple[str, ...] = ()


def close(platform: Platform, actor: Actor, text: str, *, dry_run: bool) -> Closed:
    """Issues a month's papers and posts what follows from them. A month that was closed before answers with
    the papers of then. Raises Invalid for what is no month; WrongState for one that is not over, or not the
    next one."""
    permit(actor, Action.OPERATE)
    month = read_month("month", text)
    now = platform.clock()

    def preview(tx: Tx) -> Closed:
        return _earlier(tx, month) or _closed(None, *_issued(platform, tx, month, now))

    def apply(tx: Tx) -> Closed:
        # From here on nobody posts into this month any more: what comes late is of the next one.
        tx.papers.lock_month(month)
        if (earlier := _earlier(tx, month)) is not None:
            return earlier
        books, issued = _issued(platform, tx, month, now)
        tx.money.post([it.transaction for it in issued if it.transaction is not None])
        tx.papers.insert([(it.row, it.due) for it in issued])
        for it in issued:
            if it.row.kind is PaperKind.INVOICE:
                tx.papers.insert_draws(it.row.subject, it.row.number, it.drawn)
        tx.papers.close(CloseRow(str(month), month.end, now, actor.token_id))
        data = {"month": str(month), "papers": len(issued)}
        tx.events.append([Event(now, "month-closed", data=data), *_events(issued, now)])
        return _closed(now, books, issued)

    return platform.store.read(preview) if dry_run else platform.store.write(apply)


def closes(platform: Platform, actor: Actor) -> list[CloseRow]:
    """Oldest first."""
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.papers.closes())


def _earlier(tx: Tx, month: Month) -> Closed | None:
    row = next((row for row in tx.papers.closes() if row.month == str(month)), None)
    if row is None:
        return None
    kinds = (PaperKind.INVOICE, PaperKind.SETTLEMENT, PaperKind.CLAIM)
    found = [paper for kind in kinds for paper in tx.papers.page(kind, None, row.month, "", _EVERY)]
    return Closed(
        row.month, row.closed_at, tuple(paper for paper, _ in found), tuple(due for _, due in found)
    )


def _issued(platform: Platform, tx: Tx, month: Month, now: Instant) -> tuple[Books, list[Issued]]:
    _check_over(month, now)
    _check_turn(tx, month)
    books = read_books(tx, month, now)
    made = list(invoices(platform, tx, books))
    numbers = {it.row.subject: it.row.number for it in made}
    return books, [*made, *settlements(platform, books), *claims(tx, books, numbers)]


def _check_over(month: Month, now: Instant) -> None:
    if now < month.end + OVER_MS:
        since = datetime.fromtimestamp((month.end + OVER_MS) / 1000, REGION)
        raise WrongState(f"{month} is not over: it can be closed from {since:%Y-%m-%d %H:%M} (UTC+8) on")


def _check_turn(tx: Tx, month: Month) -> None:
    """One after the other, so that nothing is left between two months that no paper tells of."""
    closed = tx.papers.closes()
    oldest = tx.money.oldest()
    if closed:
        turn = Month.parse(closed[-1].month).next
    elif oldest is not None:
        turn = Month.of(oldest)
    else:
        return
    if month > turn:
        raise WrongState(f"close {turn} first: months are closed one after the other")
    if month < turn:
        raise WrongState(f"nothing was posted in {month}, and the next month to close is {turn}")


def _closed(at: Instant | None, books: Books, issued: list[Issued]) -> Closed:
    dues = tuple(DueRow(max(it.row.total, 0), max(it.due, 0)) for it in issued)
    missing = tuple(_missing(books, issued))
    return Closed(str(books.month), at, tuple(it.row for it in issued), dues, missing)


def _missing(books: Books, issued: list[Issued]) -> Iterator[str]:
    kinds = {it.row.kind for it in issued}
    if PaperKind.INVOICE in kinds and books.tax is None:
        yield "no tax is configured: its invoices have none (`baygrid tax set`)"
    if PaperKind.SETTLEMENT in kinds and books.fee is None:
        yield "no fee of the platform is configured: its settlements have none (`baygrid fee set`)"
    currencies = sorted({it.row.currency for it in issued if it.row.kind is PaperKind.INVOICE})
    for currency in currencies:
        if books.exchange(currency) is None:
            yield f"no exchange rate of this month: its invoices in {currency} are in no other currency"


def _events(issued: list[Issued], now: Instant) -> Iterator[Event]:
    for it in issued:
        if it.row.kind is PaperKind.INVOICE:
            data = {"number": it.row.number, "total": str(Money(it.row.total, it.row.currency))}
            yield Event(now, "invoice-issued", it.row.subject, data=data)
