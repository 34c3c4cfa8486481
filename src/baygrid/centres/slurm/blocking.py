"""An account that may not begin anything new at a Slurm centre: a QOS that takes no submission is all it has
left. What already waits or runs there is not touched. Needs a Slurm administrator, and accounting.

What an account had before is kept in a file until it is unblocked, and each change is read back: sacctmgr
also succeeds where it changed nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import orjson

from baygrid.centres.engine import EngineSilent
from baygrid.centres.slurm.parse import told
from baygrid.centres.slurm.running import Run

QOS: Final = "baygrid-blocked"
_SACCTMGR = ("sacctmgr", "--immediate", "--quiet")


def add_qos() -> list[str]:
    return [*_SACCTMGR, "add", "qos", QOS, "set", "GrpSubmitJobs=0"]


def show(cluster: str, user: str) -> list[str]:
    where = ["where", f"cluster={cluster}", f"user={user}"]
    return ["sacctmgr", "--noheader", "--parsable2", "show", "assoc", *where, "format=account,qos,defaultqos"]


def modify(cluster: str, user: str, account: str, qos: str, default: str) -> list[str]:
    where = ["where", f"cluster={cluster}", f"name={user}", f"account={account}"]
    return [*_SACCTMGR, "modify", "user", *where, "set", f"qos={qos}", f"defaultqos={default or -1}"]


def parse_show(text: str) -> dict[str, tuple[str, str]]:
    """Of `show`: QOS and default QOS by Slurm account."""
    rows = (line.split("|") for line in text.splitlines())
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}


class Blocking:
    """`kept`: a folder of the agent's alone."""

    def __init__(self, run: Run, cluster: str, kept: Path) -> None:
        self._run, self._cluster, self._kept = run, cluster, kept
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)

    def block(self, user: str) -> None:
        """Repeatable. Raises EngineSilent where it could not be done, or is not so when it is read back."""
        before = self._associations(user)
        if not before:
            raise EngineSilent(f"{user} has no Slurm account")
        if not self.blocked(user):
            (self._kept / user).write_bytes(orjson.dumps(before))
        self._run(add_qos())  # refused where it is there already
        for account in before:
            self._change(modify(self._cluster, user, account, QOS, QOS))
        if not self.blocked(user):
            raise EngineSilent(f"{user} is not blocked, though sacctmgr was asked")

    def unblock(self, user: str) -> None:
        """Repeatable. Gives back what it had. Raises EngineSilent, as `block`."""
        kept = self._kept / user
        if kept.exists():
            for account, (qos, default) in orjson.loads(kept.read_bytes()).items():
                self._change(modify(self._cluster, user, account, qos, default))
        if self.blocked(user):
            raise EngineSilent(f"{user} is still blocked, and not by this agent, or sacctmgr did nothing")
        kept.unlink(missing_ok=True)

    def blocked(self, user: str) -> bool:
        """As Slurm says now. Raises EngineSilent."""
        return any(QOS in qos.split(",") for qos, _ in self._associations(user).values())

    def _associations(self, user: str) -> dict[str, tuple[str, str]]:
        said = self._run(show(self._cluster, user))
        if said.code != 0:
            raise EngineSilent(told(said.err))
        return parse_show(said.out)

    def _change(self, argv: list[str]) -> None:
        said = self._run(argv)
        if said.code != 0 and "affect" not in said.err and "Nothing modified" not in said.out + said.err:
            raise EngineSilent(told(said.err) or told(said.out))
