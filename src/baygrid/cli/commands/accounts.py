"""Commands of accounts: what projects may spend, and how they ask for it."""

from typing import Annotated, Any

import typer

from baygrid.cli.session import Session, command
from baygrid.cli.shapes import local, money

Project = Annotated[
    str | None, typer.Option("--project", "-p", help="Else the token's own; of an operator all.")
]


def register(app: typer.Typer) -> None:
    command(app, "allocations")(allocations)


def allocations(session: Session, project: Project = None) -> None:
    """Show what projects may spend: from when until when, what for, and what is left of it."""
    found = session.client.items("/v1/allocations", project=project)
    amounts = ("amount", "used", "left", "returned")
    session.out.show(
        found,
        ("allocation", "project", "from", "until", "state", *amounts, "source", "purpose"),
        [
            [
                it["id"],
                it["project"],
                local(it["from"]),
                local(it["to"]) or "no end",
                _state(it),
                *(money(it[amount]) for amount in amounts),
                it["source"],
                it["purpose"],
            ]
            for it in found
        ],
        right=amounts,
        none="no allocations yet: ask with `baygrid applications create`",
    )


def _state(allocation: dict[str, Any]) -> str:
    days = allocation["warned_days"]
    return (
        f"ends in {days} days or less" if days and allocation["state"] == "in force" else allocation["state"]
    )
