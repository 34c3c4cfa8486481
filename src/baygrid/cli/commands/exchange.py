"""Commands of the exchange: who is joined by it, and what each link carries."""

from typing import Annotated, Any

import typer

from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local, span


def register(app: typer.Typer) -> None:
    help = "Show the exchange: members (networks, clouds, centres) and their links."
    nouns = group(app, "exchange", exchange, help)
    member = typer.Typer(
        rich_markup_mode=None, no_args_is_help=True, help="Add and remove networks and clouds (operators)."
    )
    nouns.add_typer(member, name="member")
    command(member, "add")(add)
    command(member, "remove")(remove)


def exchange(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.get("/v1/exchange")
    if session.json:
        session.out.json(found)
        return
    session.out.show(
        found["members"],
        ("member", "kind", "since"),
        [[one["name"], one["kind"], local(one["since"])] for one in found["members"]],
        none="no members yet: add a centre with `baygrid centres create`",
    )
    if found["links"]:
        session.out.line("")
        session.out.show(
            found["links"],
            ("from", "to", "Mbit/s", "by", "age", "latency", "median", "loss", "per GiB"),
            [_row(link) for link in found["links"]],
            right=("Mbit/s", "age", "latency", "median", "loss", "per GiB"),
            none="",
        )


def add(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    kind: Annotated[str, typer.Option("--kind", metavar="network|cloud", help="What it is.")],
) -> None:
    """Add a network or a cloud; centres are members by themselves."""
    made = session.client.post("/v1/exchange/members", {"name": name, "kind": kind})
    session.out.answer(made, f"{made['name']} ({made['kind']}) is a member of the exchange")


def remove(session: Session, name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Remove a network or a cloud."""
    session.client.delete(f"/v1/exchange/members/{name}")
    session.out.answer({"removed": name}, f"{name} is no member any more")


def _row(link: dict[str, Any]) -> list[str]:
    measured = link["measured"] or {}
    age = "" if link["age_s"] is None else span(link["age_s"])
    loss = f"{measured['loss']:.0%}" if measured else ""
    return [
        link["from"],
        link["to"],
        "" if link["mbit_s"] is None else f"{link['mbit_s']:.4g}",
        link["origin"],
        age,
        _ms(measured.get("latency_min_ms")),
        _ms(measured.get("latency_median_ms")),
        loss,
        f"{link['gib_price']:.4g}",
    ]


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.3g} ms"
