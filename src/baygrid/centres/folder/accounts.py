"""Whose account a project's jobs run under at a centre."""

from __future__ import annotations

import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from baygrid.centres.folder.environment import NotRunnable
from baygrid.core.reading import is_name
from baygrid.ports.messages import Order


@dataclass(frozen=True, slots=True)
class Accounts:
    """`users`: by project. `other`: of all other projects, "" where they have none here. `banks`: by project,
    what a scheduler counts its jobs on, where that is not its user's usual one."""

    users: Mapping[str, str] = field(default_factory=dict, hash=False)
    other: str = ""
    banks: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __bool__(self) -> bool:
        return bool(self.users or self.other)

    @property
    def all(self) -> tuple[str, ...]:
        """Every user once."""
        return tuple(dict.fromkeys([*self.users.values(), *([self.other] if self.other else [])]))

    @property
    def shared(self) -> tuple[str, ...]:
        """Users who have jobs of several projects: each can read the others' files and secrets."""
        users = list(self.users.values())
        return tuple(user for user in self.all if user == self.other or users.count(user) > 1)

    def account_of(self, order: Order) -> str:
        """Raises NotRunnable."""
        user = self.users.get(order.project, self.other)
        if not user:
            raise NotRunnable(
                f"project {order.project!r} has no account at this centre: its operator adds one with"
                f" --account-map {order.project}=USER"
            )
        return user


def parse_accounts(texts: Sequence[str], other: str = "") -> Accounts:
    """Reads "project=user" or "project=user:bank", or a path of a file of such lines ("#" begins a comment).
    A user in numbers is "uid" or "uid:gid". Raises ValueError."""
    users: dict[str, str] = {}
    banks: dict[str, str] = {}
    for text in texts:
        for line in [text] if "=" in text else _lines(Path(text)):
            project, equals, user = (part.strip() for part in line.partition("="))
            if not user.replace(":", "").isdecimal() and ":" in user:
                user, _, banks[project] = user.partition(":")
            if not equals or not is_name(project) or not user or project in users or banks.get(project) == "":
                raise ValueError(f"{line[:80]!r} maps no project to a user: write each once, as project=user")
            users[project] = user
    return Accounts(users, other, banks)


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(f"the account map {path} cannot be read: {error}") from None
    return [text for line in lines if (text := line.partition("#")[0].strip())]


def unusable(accounts: Accounts, own_uid: int) -> str | None:
    """Why not all of its users can have jobs at a machine where the agent is `own_uid`."""
    for name in accounts.all:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            return f"there is no user {name!r} here: make it, or map its projects to another one"
        if user.pw_uid in (0, own_uid):
            return f"jobs must not run as {name!r}, who can read the agent's own key: choose another user"
    return None
