"""Whose account a job runs on: the operator's list, and nothing else."""

from __future__ import annotations

from baygrid.centres.folder.accounts import Accounts
from baygrid.centres.slurm.settings import Account, SlurmSettings
from baygrid.ports.messages import Order


def accounts_of(accounts: Accounts) -> dict[str, Account]:
    """By project, as Slurm has them. Raises ValueError for what it has not."""
    if accounts.other:
        raise ValueError("Slurm counts each project apart, so --run-as is not for it: say --account-map")
    return {
        project: Account(user, accounts.banks.get(project, "")) for project, user in accounts.users.items()
    }


def account_of(settings: SlurmSettings, order: Order) -> str:
    """The user that runs it, "" for the agent's own. Raises NotRunnable."""
    if settings.as_me:
        return ""
    users = {project: account.user for project, account in settings.accounts.items()}
    return Accounts(users).account_of(order)
