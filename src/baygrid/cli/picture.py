"""Where --plot may draw: told before the work, which may take minutes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from baygrid.cli.errors import CliError

PICTURES: Final = (".png", ".svg", ".pdf")


def drawable(plot: Path) -> None:
    """Raises `CliError` where no picture can be drawn in this file."""
    if plot.is_dir():
        raise _wrong(f"--plot: {plot} is a folder", f"name a file in it that ends in {', '.join(PICTURES)}")
    if plot.suffix not in PICTURES:
        raise _wrong(
            f"--plot: {plot} is of no known kind of picture", f"end its name in {', '.join(PICTURES)}"
        )
    if not plot.parent.is_dir():
        raise _wrong(f"--plot: there is no folder {plot.parent}", "make it, or name another")
    if find_spec("matplotlib") is None:
        raise not_installed("matplotlib")


def not_installed(name: str) -> CliError:
    cure = "pip install 'baygrid[replay]'"
    return CliError(f"this needs a package that is not here: {name}", code="not-installed", cure=cure)


def _wrong(detail: str, cure: str) -> CliError:
    return CliError(detail, code="wrong-call", cure=cure, exit_code=2)
