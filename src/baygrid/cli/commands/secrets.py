"""Commands of secrets: values that jobs read and nobody else."""

import getpass
import sys
from typing import Annotated

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local

Project = Annotated[
    str | None, typer.Option("--project", "-p", help="Whose secrets; else the token's own project.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="As its variable is called, for example HF_TOKEN.")]


def register(app: typer.Typer) -> None:
    nouns = group(
        app, "secrets", secrets, "List a project's secrets, which its jobs may name; set and delete them."
    )
    command(nouns, "list")(listed)
    command(nouns, "set")(set_)
    command(nouns, "delete")(delete)


def secrets(session: Session, context: typer.Context) -> None:
    if not context.invoked_subcommand:
        listed(session)


def listed(session: Session, project: Project = None) -> None:
    """List names, and when each was set. No command shows a value."""
    found = session.client.items(f"/v1/projects/{project or session.own_project()}/secrets")
    session.out.show(
        found,
        ("secret", "set", "by"),
        [[one["name"], local(one["set_at"]), one["set_by"]] for one in found],
        none="no secrets yet: set one with `baygrid secrets set NAME`",
    )


def set_(session: Session, name: Name, project: Project = None) -> None:
    """Set a secret. Its value is asked for, or read from stdin; a line break at its end is left out."""
    value = getpass.getpass(f"Value of {name}: ") if sys.stdin.isatty() else _piped()
    if not value:
        raise CliError("the value is empty", code="bad-call", cure="type it, or send it to stdin")
    path = f"/v1/projects/{project or session.own_project()}/secrets/{name}"
    made = session.client.send("PUT", path, json={"value": value}).json()
    session.out.answer(made, f"{name} is set: name it in a job file with secrets: [{name}]")


def _piped() -> str:
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CliError("the value is not text", code="bad-call", cure="encode it, in Base64 say") from None


def delete(session: Session, name: Name, project: Project = None) -> None:
    """Delete a secret. Jobs that run keep it until they end; those that wait cannot start without it."""
    session.client.delete(f"/v1/projects/{project or session.own_project()}/secrets/{name}")
    session.out.answer({"deleted": name}, f"{name} is deleted")
