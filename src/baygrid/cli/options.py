"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from baygrid.cli import completing

Number = Annotated[str, typer.Argument(metavar="NUMBER")]
OwnProject = Annotated[
    str | None,
    typer.Option("--project", "-p", help="Else the token's own.", autocompletion=completing.projects),
]
Owner = Annotated[
    str | None,
    typer.Option(
        "--project", "-p", help="Whose it is; else the token's own.", autocompletion=completing.projects
    ),
]
Start = Annotated[str | None, typer.Option("--from", metavar="TIME", help="For example 2026-11-01.")]
End = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until before this time.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else stdout.")]
PlatformKey = Annotated[
    str | None,
    typer.Option("--key", metavar="HEX", help="The platform's public key that must have signed it."),
]


def platform_key(given: str | None) -> str | None:
    """Of `PlatformKey`, as documents have it; None where it was left out. Raises BadParameter."""
    if given is None:
        return None
    from baygrid.core.pricing.recompute.shapes import public_key
    from baygrid.core.reading import Wrong

    try:
        return public_key(given.strip().lower())
    except Wrong as wrong:
        raise typer.BadParameter(f"it {wrong}", param_hint="--key") from None
