"""The client's own settings and version."""

import os
import sys
from typing import Any

import typer

from baygrid import __version__
from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command
from baygrid.client import config


def register(app: typer.Typer) -> None:
    command(app, "login")(login)
    command(app, "version")(version)


def login(session: Session) -> None:
    """Remember a server and a token for the commands that follow. Without --token it is asked for."""
    server = session.server or os.environ.get("BAYGRID_SERVER") or config.DEFAULT_SERVER
    token = session.token or os.environ.get("BAYGRID_TOKEN")
    if not token:
        token = (
            typer.prompt("token", hide_input=True, err=True)
            if sys.stdin.isatty()
            else sys.stdin.readline().strip()
        )
    if not token:
        raise CliError("no token was given", code="unauthorized", cure="use --token TOKEN")
    session.server, session.token = server, token
    me: dict[str, Any] = session.client.get("/v1/me")
    path = config.config_path(os.environ)
    config.save(path, config.Config(session.access.server, token))
    if session.json:
        session.out.json({"server": session.access.server, "config": str(path), **me})
    else:
        whose = me.get("project") or me.get("centre")
        session.out.line(
            f"logged in at {session.access.server} as {me['role']}{f' of {whose}' if whose else ''}"
        )


def version(session: Session) -> None:
    """Print the version."""
    session.out.answer({"version": __version__}, __version__)
