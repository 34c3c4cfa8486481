"""The texts that an agent is given for this driver."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from baygrid.centres.slurm.accounts import parse_accounts
from baygrid.centres.slurm.settings import SlurmSettings

OPTIONS: Final = ("conf", "programs", "partitions", "accounts", "as-me")
"""slurm.conf; the folder of sbatch; partitions to offer, with commas; a file of lines project=user; "yes"."""


def read_settings(options: Mapping[str, str]) -> SlurmSettings:
    """Raises ValueError for what cannot be meant, and where nobody could run anything."""
    as_me = options.get("as-me", "no")
    if as_me not in ("yes", "no"):
        raise ValueError(f"as-me={as_me}: say yes or no")
    if as_me == "no" and "accounts" not in options:
        raise ValueError(
            "say whose accounts jobs run on: accounts=FILE with lines project=user, or as-me=yes"
        )
    accounts = {}
    if "accounts" in options:
        try:
            accounts = parse_accounts(Path(options["accounts"]).read_text())
        except (OSError, ValueError) as error:
            raise ValueError(f"accounts={options['accounts']}: {error}") from None
    return SlurmSettings(
        conf=Path(options["conf"]) if "conf" in options else None,
        programs=Path(options["programs"]) if "programs" in options else None,
        partitions=tuple(filter(None, options.get("partitions", "").split(","))),
        accounts=accounts,
        as_me=as_me == "yes",
    )
