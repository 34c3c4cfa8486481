"""What projects pay centres for besides usage: what they bought ahead."""

from __future__ import annotations

from typing import Final

from baygrid.core.pricing.accounts import component, project_account
from baygrid.core.pricing.papers import Other
from baygrid.ports.basics import Instant
from baygrid.ports.store import Tx

_INCOME: Final = "Income:"


def others(tx: Tx, start: Instant, end: Instant, project: str | None = None) -> list[Other]:
    """What the ledger has in [start, end) of income that is no charge, of one project or of all: in each
    transaction one project pays one centre."""
    payers = {project_account(name): name for name in tx.region.projects()}
    centres = {component(name): name for name in tx.region.centres()}
    found = []
    for it in tx.money.other_income(start, end):
        paid = [posting for posting in it.postings if posting.account in payers]
        earned = [posting for posting in it.postings if posting.account.startswith(_INCOME)]
        assert len(paid) == len(earned) == 1, it.key
        payer, centre = payers[paid[0].account], centres[earned[0].account.split(":")[2]]
        if project in (None, payer):
            found.append(Other(it.narration, it.at, paid[0].money, it.key, payer, centre))
    return found
