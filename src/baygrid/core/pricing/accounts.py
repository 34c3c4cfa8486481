"""Names of ledger accounts, as Beancount writes them: Root:Component:Component.

A component starts with a capital letter or a digit and goes on with letters, digits and dashes. Names of
projects, centres and pools are mapped so that no two share an account and everyday ones stay readable: `demo`
is `Demo`.
"""

from __future__ import annotations

import unicodedata
from typing import Final

GRANTS: Final = "Equity:Grants"
OVERRUN: Final = "Expenses:Overrun"
CREDIT_NOTES: Final = "Expenses:CreditNotes"
BANK: Final = "Assets:Bank"
TAX: Final = "Liabilities:Tax"

_FOREIGN_START: Final = "X---"


def project_account(project: str) -> str:
    """What the platform owes a project: the money it was granted and has not used."""
    return f"Liabilities:Projects:{component(project)}"


def receivable_account(project: str) -> str:
    """What a project owes for invoices: what it used on credit, and the tax."""
    return f"Assets:Receivable:{component(project)}"


def income_account(centre: str) -> str:
    """What computing at a centre earns."""
    return f"Income:Compute:{component(centre)}"


def centre_cost_account(centre: str) -> str:
    """What settlements with a centre cost the platform."""
    return f"Expenses:Centres:{component(centre)}"


def centre_account(centre: str) -> str:
    """What the platform owes a centre for settlements."""
    return f"Liabilities:Centres:{component(centre)}"


def trading_account(centre: str) -> str:
    """What a centre earns by what it sells ahead: reservations, and what of commitments was not used."""
    return f"Income:Trading:{component(centre)}"


def support_account(pool: str) -> str:
    """What the payer of a pool owes for the shares of its vouchers."""
    return f"Assets:Support:{component(pool)}"


def component(name: str) -> str:
    """The name as one component, unlike that of any other name.

    A small first letter becomes its capital. A name that starts otherwise (but with a digit) gets `X---`
    before it, which no other name can start with. A character that is no letter or digit becomes `--<hex>-`;
    a dash stays a dash where a letter or digit follows.
    """
    first = name[:1]
    capital = first.upper()
    if len(capital) == 1 and capital != first and capital.lower() == first and _is(capital, "Lu"):
        return capital + _rest(name[1:])
    if first and _is(first, "Nd"):
        return first + _rest(name[1:])
    return _FOREIGN_START + _rest(name)


def _is(character: str, category: str) -> bool:
    return unicodedata.category(character).startswith(category)


def _plain(character: str) -> bool:
    return _is(character, "L") or _is(character, "Nd")


def _rest(name: str) -> str:
    out = []
    for place, character in enumerate(name):
        follower = name[place + 1 : place + 2]
        if _plain(character) or (character == "-" and follower and _plain(follower)):
            out.append(character)
        else:
            out.append(f"--{ord(character):x}-")
    return "".join(out)
