"""The texts that an agent is given for this driver."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from baygrid.centres.folder.accounts import Accounts
from baygrid.centres.slurm.accounts import accounts_of
from baygrid.centres.slurm.settings import SlurmSettings

OPTIONS: Final = ("conf", "programs", "partitions")
"""slurm.conf; the folder of sbatch; partitions to offer, with commas."""


def read_settings(options: Mapping[str, str], accounts: Accounts, as_me: bool) -> SlurmSettings:
    """`options` are some of `OPTIONS`, and others that are not looked at. Raises ValueError, also where
    nobody could run anything."""
    if not accounts and not as_me:
        raise ValueError("say whose accounts jobs run on: --account-map PROJECT=USER[:ACCOUNT], or --as-me")
    return SlurmSettings(
        conf=Path(options["conf"]) if "conf" in options else None,
        programs=Path(options["programs"]) if "programs" in options else None,
        partitions=tuple(filter(None, options.get("partitions", "").split(","))),
        accounts=accounts_of(accounts),
        as_me=as_me,
    )
