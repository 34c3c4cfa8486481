"""What papers and payments post to the ledger. Debits are positive, as in `postings`."""

from __future__ import annotations

from baygrid.core.pricing.accounts import (
    BANK,
    CREDIT_NOTES,
    TAX,
    centre_account,
    centre_cost_account,
    project_account,
    receivable_account,
)
from baygrid.core.pricing.credit import Credited
from baygrid.core.pricing.postings import Posting, nonzero
from baygrid.core.units import Money


def invoice_postings(project: str, credit: Money, tax: Money) -> tuple[Posting, ...]:
    """What was used on credit becomes a debt of the project, and so does the tax."""
    return nonzero(
        Posting(receivable_account(project), credit + tax),
        Posting(project_account(project), -credit),
        Posting(TAX, -tax),
    )


def settlement_postings(centre: str, payable: Money) -> tuple[Posting, ...]:
    """What a month at a centre costs the platform, and is owed to it."""
    return nonzero(Posting(centre_cost_account(centre), payable), Posting(centre_account(centre), -payable))


def received_postings(account: str, money: Money) -> tuple[Posting, ...]:
    """Somebody pays what stands in `account`."""
    return nonzero(Posting(BANK, money), Posting(account, -money))


def credit_note_postings(project: str, parts: Credited) -> tuple[Posting, ...]:
    """What an invoice said too much: no longer due, or the project's again. The centre keeps what it earned:
    the platform bears it."""
    return nonzero(
        Posting(CREDIT_NOTES, parts.amount - parts.tax),
        Posting(TAX, parts.tax),
        Posting(receivable_account(project), -parts.forgiven),
        Posting(project_account(project), -parts.returned),
    )
