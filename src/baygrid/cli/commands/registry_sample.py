"""`baygrid registry sample`: an invented registry, to try the observatory with."""

from pathlib import Path
from typing import Annotated

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="registry", help="Companies by registered address.")
    command(group, "sample")(sample)


def sample(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    seed: Annotated[int, typer.Option("--seed", help="Another one makes other companies.")] = 1,
) -> None:
    """Write an invented registry, marked as synthetic in every row, with the published figures of 2023."""
    from baygrid.observatory.sample import write

    try:
        count = write(folder, seed=seed)
    except FileExistsError as error:
        raise CliError(str(error), code="not-empty") from None
    session.out.answer(
        {"registry": str(folder), "companies": count, "synthetic": True},
        f"{folder}: {count:,} invented companies; see `baygrid indicators --registry {folder}`",
    )
