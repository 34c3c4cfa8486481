"""What ends a command, by the name that commands know it."""

from baygrid.client.errors import BaygridError as CliError
from baygrid.client.errors import Flaw, Unreachable

__all__ = ["CliError", "Flaw", "Unreachable"]
