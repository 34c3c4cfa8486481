"""Commands of recipients: who reads a project's shares with a token of their own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local

Name = Annotated[str, typer.Argument(metavar="NAME")]
Project = Annotated[str | None, typer.Option("--project", "-p", help="Whose shares; else the token's own.")]
Days = Annotated[int, typer.Option("--days", help="So long its token lasts, from its activation on.")]


def register(app: typer.Typer) -> None:
    group(app, "recipients", recipients, "Show who reads your project's shares, and until when.")
    verbs = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(verbs, name="recipient", help="Let somebody read your project's shares, or no more.")
    command(verbs, "add")(add)
    command(verbs, "rotate")(rotate)
    command(verbs, "revoke")(revoke)
    command(verbs, "profile")(profile)


def recipients(session: Session, context: typer.Context) -> None:
    found = session.client.items("/v1/recipients")
    session.out.show(
        found,
        ("project", "recipient", "token", "activated", "until", "revoked"),
        [
            [
                it["project"],
                it["name"],
                token["id"],
                local(token["activated_at"]) or "not yet",
                local(token["expires_at"]),
                local(token["revoked_at"]),
            ]
            for it in found
            for token in it["tokens"]
        ],
        none="nobody: let somebody read with `baygrid recipient add NAME`",
    )


def add(session: Session, name: Name, project: Project = None, days: Days = 90) -> None:
    """Add a recipient. What is printed is a link that gives the token once; send it to nobody else."""
    _linked(session, session.client.post("/v1/recipients", _body(project, name=name, days=days)))


def rotate(
    session: Session,
    name: Name,
    project: Project = None,
    days: Days = 90,
    overlap_hours: Annotated[
        int, typer.Option("--overlap-hours", help="The old token works on so long.")
    ] = 24,
) -> None:
    """Make another link; the token of before works on for a while, links that nobody used do not."""
    body = _body(project, days=days, overlap_hours=overlap_hours)
    _linked(session, session.client.post(f"/v1/recipients/{name}/rotate", body))


def revoke(session: Session, name: Name, project: Project = None) -> None:
    """Take back all its tokens and links, at once."""
    made = session.client.post(f"/v1/recipients/{name}/revoke", _body(project))
    session.out.answer(made, f"{name} reads nothing any more")


def profile(
    session: Session,
    link: Annotated[str, typer.Argument(metavar="LINK", help="As `recipient add` printed it.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="For its owner's eyes only.")
    ],
) -> None:
    """Use an activation link: writes the profile with which Delta Sharing clients read. It works once."""
    import json
    import os
    from contextlib import closing

    from baygrid.client.connection import Connection

    server, found_path, secret = link.strip().rpartition("/v1/profiles/")
    if not found_path:
        raise CliError(
            "that is no activation link", code="invalid", cure="give all that `baygrid recipient add` printed"
        )
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CliError(
            f"cannot write {output}: {error.strerror}",
            code="no-file",
            cure="name a file that is not there yet",
        ) from None
    # The link is all that the server wants: no token goes there.
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        try:
            with closing(Connection(server or session.access.server, None)) as client:
                found = client.post(f"/v1/profiles/{secret}")
        except BaseException:
            output.unlink()
            raise
        json.dump(found, file, indent=2)
    session.out.answer({"file": str(output)}, f"{output}: good until {local(found['expirationTime'])}")


def _body(project: str | None, **said: Any) -> dict[str, Any]:
    return said if project is None else {**said, "project": project}


def _linked(session: Session, made: dict[str, Any]) -> None:
    url = session.access.server.rstrip("/") + made["link"]
    session.out.answer({**made, "url": url}, f"{url}\ngood once, until {local(made['until'])}")
