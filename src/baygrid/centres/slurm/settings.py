"""What an operator says of a Slurm centre."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """The user that a project's jobs run as. `bank`: the Slurm account that they are counted on, "" for the
    user's default."""

    user: str
    bank: str = ""


@dataclass(frozen=True, slots=True)
class SlurmSettings:
    """`conf`: slurm.conf, where it is not the site's usual one. `programs`: the folder of sbatch and the
    others, where PATH does not have them. `partitions`: those to offer, all when empty. `accounts`: by
    project; nothing of another project is run. `as_me`: all runs as the agent's own user, for a demo."""

    conf: Path | None = None
    programs: Path | None = None
    partitions: tuple[str, ...] = ()
    accounts: Mapping[str, Account] = field(default_factory=dict)
    as_me: bool = False
