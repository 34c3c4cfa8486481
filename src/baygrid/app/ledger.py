"""The region's one ledger, as an operator reads it."""

from __future__ import annotations

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.core.pricing.postings import Transaction


def ledger(platform: Platform, actor: Actor, after: str | None, limit: int) -> list[Transaction]:
    """Every transaction of the region's one ledger, oldest first."""
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.money.transactions(after, limit))


def balances(platform: Platform, actor: Actor) -> dict[tuple[str, str], int]:
    """(account, currency) -> minor units; they sum to zero in each currency."""
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.money.balances())
