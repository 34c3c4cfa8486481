"""Whose account a job runs on: the operator's list, and nothing else."""

from __future__ import annotations

from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.slurm.settings import Account, SlurmSettings
from baygrid.ports.messages import Order


def parse_accounts(text: str) -> dict[str, Account]:
    """Of lines "project=user" or "project=user:slurm-account"; empty ones and those after # are left out.
    Raises ValueError, which names the line."""
    accounts: dict[str, Account] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        project, equals, rest = line.partition("=")
        user, _, bank = rest.partition(":")
        project, account = project.strip(), Account(user.strip(), bank.strip())
        if not equals or not project or not account.user:
            raise ValueError(f"line {number}: {line!r} is not project=user or project=user:slurm-account")
        if account.user == "root":
            raise ValueError(f"line {number}: nobody's jobs run as root")
        if project in accounts:
            raise ValueError(f"line {number}: {project} has an account already")
        accounts[project] = account
    return accounts


def account_of(settings: SlurmSettings, order: Order) -> str:
    """The user that runs it, "" for the agent's own. Raises NotRunnable."""
    if settings.as_me:
        return ""
    account = settings.accounts.get(order.project)
    if account is None:
        raise NotRunnable(
            f"project {order.project} has no account at this centre: its operator can give it one"
        )
    return account.user
