"""The region's one ledger: as an operator reads it, or a project its own part, also by programs that are
not ours."""

from __future__ import annotations

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.projects import find_project
from baygrid.core.pricing.accounts import project_account, receivable_account
from baygrid.core.pricing.beancount import render
from baygrid.core.pricing.postings import Transaction
from baygrid.ports.store import Tx

PAGE = 1_000
_END = 2**62  # after every moment


def ledger(platform: Platform, actor: Actor, after: str | None, limit: int) -> list[Transaction]:
    """Every transaction of the region's one ledger, oldest first."""
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.money.transactions(after, limit))


def balances(platform: Platform, actor: Actor) -> dict[tuple[str, str], int]:
    """(account, currency) -> minor units; they sum to zero in each currency."""
    permit(actor, Action.OPERATE)
    return platform.store.read(lambda tx: tx.money.balances())


def beancount(platform: Platform, actor: Actor, project: str | None = None) -> str:
    """All transactions, or those of one project, as Beancount text."""
    permit(actor, Action.READ if project else Action.OPERATE, project=project)

    def load(tx: Tx) -> list[Transaction]:
        if project is not None:
            find_project(tx, project)
            return tx.money.movements([project_account(project), receivable_account(project)], 0, _END)
        found: list[Transaction] = []
        after: str | None = None
        while page := tx.money.transactions(after, PAGE):
            found += page
            after = page[-1].id
        return found

    rows = platform.store.read(load)
    return render(rows, "Baygrid" if project is None else f"Baygrid, project {project}")
