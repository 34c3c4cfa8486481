"""Commands of notifications: who is told by webhook or mail of what happens in a project."""

from typing import Annotated

import typer

from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local

Project = Annotated[str | None, typer.Option("--project", "-p", help="Which; else the token's own project.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="As `baygrid notify list` shows it.")]


def register(app: typer.Typer) -> None:
    verbs = group(
        app, "notify", notify, "Have a webhook or a mail address told of jobs, budgets and contracts."
    )
    command(verbs, "list")(listed)
    command(verbs, "add")(add)
    command(verbs, "remove")(remove)
    command(verbs, "test")(test)


def notify(session: Session, context: typer.Context) -> None:
    if not context.invoked_subcommand:
        listed(session)


def listed(session: Session, project: Project = None) -> None:
    """List who is told of what, and whether it arrives."""
    found = session.client.items("/v1/notifications", project=project)
    session.out.show(
        found,
        ("id", "project", "target", "topics", "told", "waiting", "failing"),
        [
            [
                it["id"],
                it["project"],
                it["target"],
                " ".join(it["topics"]),
                local(it["told_at"]) or "not yet",
                str(it["waiting"]),
                f"{it['failures']} times: {it['said']}" if it["failures"] else "",
            ]
            for it in found
        ],
        none="nobody: add somebody with `baygrid notify add https://... | mailto:...`",
    )


def add(
    session: Session,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="https://... or mailto: and an address.")],
    on: Annotated[
        list[str] | None,
        typer.Option("--on", help="job, budget or contract; may be repeated. [default: all]"),
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Of mails: en, zh-Hans, zh-Hant or ja.")] = "en",
    project: Project = None,
) -> None:
    """Have an address told. For a webhook the secret that signs it is printed, once."""
    body = {"target": target, "language": language}
    body |= {} if project is None else {"project": project}
    made = session.client.post("/v1/notifications", {**body, **({"topics": on} if on else {})})
    told = f"{made['id']}: {made['target']} is told of {', '.join(made['topics'])}"
    if made["secret"]:
        told += f"\nwhat arrives there is signed with {made['secret']}"
    session.out.answer(made, told)


def remove(session: Session, id: Id) -> None:
    """Tell it nothing any more, not even what is on its way."""
    session.client.delete(f"/v1/notifications/{id}")
    session.out.answer({"removed": id}, f"{id} is told nothing any more")


def test(session: Session, id: Id) -> None:
    """Send it a notice that tells of nothing; the list shows whether it arrived."""
    made = session.client.post(f"/v1/notifications/{id}/test")
    session.out.answer(made, f"a test is on its way to {made['target']}: see `baygrid notify list`")
