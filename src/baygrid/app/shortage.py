"""Why something could not be held: for want of free money, or by a budget."""

from __future__ import annotations

from baygrid.core.pricing.budgets import short_of
from baygrid.ports.basics import Instant
from baygrid.ports.store import Tx


def shortage(tx: Tx, project: str, need: int, now: Instant) -> str:
    """After so much (minor units) could not be held: the sentence about the budget, "" where it is free money
    that lacks."""
    row = tx.region.projects([project])[project]
    if row.budget is None or row.free < need:
        return ""
    return short_of(project, row.budget, row.spent(now), need)
