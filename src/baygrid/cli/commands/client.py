"""The client's own version."""

import typer

from baygrid import __version__
from baygrid.cli.session import Session, command


def register(app: typer.Typer) -> None:
    command(app, "version")(version)


def version(session: Session) -> None:
    """Print the version."""
    session.out.answer({"version": __version__}, __version__)
