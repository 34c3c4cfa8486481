"""Statements: how a project's money moved in a time, from the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.projects import find_project
from baygrid.core.pricing.accounts import project_account, receivable_account
from baygrid.core.pricing.postings import Transaction
from baygrid.ports.basics import Instant
from baygrid.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Balance:
    """In minor units: what a project may still spend of what it was given and has paid (less than nothing:
    what it used on credit and was not yet invoiced), and what it owes for invoices."""

    prepaid: int
    due: int

    def plus(self, other: Balance) -> Balance:
        return Balance(self.prepaid + other.prepaid, self.due + other.due)


@dataclass(frozen=True, slots=True)
class Movement:
    """What one transaction of the ledger, `key`, changed."""

    at: Instant
    what: str
    key: str
    change: Balance


@dataclass(frozen=True, slots=True)
class Statement:
    """From before `start` to before `end`."""

    project: str
    currency: str
    start: Instant
    end: Instant
    opening: Balance
    movements: tuple[Movement, ...]
    closing: Balance


def statement(platform: Platform, actor: Actor, project: str, start: Instant, end: Instant) -> Statement:
    """Opening balance, movements and closing balance of [start, end). Raises NotFound."""
    permit(actor, Action.READ, project=project)
    ours, owed = project_account(project), receivable_account(project)

    def change(it: Transaction) -> Balance:
        of = dict.fromkeys((ours, owed), 0)
        for posting in it.postings:
            if posting.account in of:
                of[posting.account] += posting.money.minor
        return Balance(-of[ours], of[owed])

    def load(tx: Tx) -> Statement:
        currency = find_project(tx, project).currency
        before = tx.money.standing([ours, owed], start)
        opening = Balance(-before.get((ours, currency), 0), before.get((owed, currency), 0))
        moved = tx.money.movements([ours, owed], start, end)
        movements = tuple(Movement(it.at, it.narration, it.key, change(it)) for it in moved)
        closing = opening
        for movement in movements:
            closing = closing.plus(movement.change)
        return Statement(project, currency, start, end, opening, movements, closing)

    return platform.store.read(load)
