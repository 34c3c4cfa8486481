"""Slurm by its commands: pure builders (`commands`), pure parsers (`parse`, `nodes`), and who runs them.

Versions 22.05 to 24.11 are tested. Every field asked for is in both, and no output that depends on how a
site has built its Slurm (JSON) is used.
"""

from baygrid.centres.slurm.accounts import account_of
from baygrid.centres.slurm.engine import SlurmEngine
from baygrid.centres.slurm.options import OPTIONS, read_settings
from baygrid.centres.slurm.settings import Account, SlurmSettings

__all__ = [
    "OPTIONS",
    "Account",
    "SlurmEngine",
    "SlurmSettings",
    "account_of",
    "read_settings",
]
