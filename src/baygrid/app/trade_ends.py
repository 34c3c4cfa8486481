"""The ends of periods: what was not sold returns to its centre, what was committed and not used is paid."""

from __future__ import annotations

from baygrid.app.platform import Platform
from baygrid.app.releases import settle
from baygrid.app.trading import transaction
from baygrid.ports.basics import Instant
from baygrid.ports.records import Event
from baygrid.ports.store import Tx
from baygrid.ports.trading import TradeRow


def close_periods(platform: Platform, tx: Tx, now: Instant) -> int:
    """Closes listings that are over, and accounts of trades that are over once no attempt uses them any more.
    Returns how many."""
    over, ended = tx.trading.due(now)
    closed = [row for row in over if tx.trading.close(row.id, now)]
    tx.events.append(
        [
            Event(now, "listing-returned", centre=row.centre, data={"listing": row.id, "units": row.left})
            for row in closed
        ]
    )
    settled = [row for it in ended if (row := tx.trading.settle(it.id, now)) is not None]
    for row in settled:
        _settle(platform, tx, row, now)
    settle(tx, (), {row.project for row in settled}, now)
    return len(closed) + len(settled)


def _settle(platform: Platform, tx: Tx, row: TradeRow, now: Instant) -> None:
    unused = row.unused
    minor = 0 if unused is None else unused.amount.minor
    if unused is not None:
        paid = tx.money.move(row.project, at=now, held=-minor, charged=minor)
        assert paid, "what is committed is held"
        tx.money.post([transaction(platform, unused)])
    data = {"trade": row.id, "unused_minor": minor}
    tx.events.append([Event(now, "trade-settled", row.project, centre=row.centre, data=data)])
