"""Commands of trading: what centres sell ahead, and what projects bought of it."""

import uuid
from fractions import Fraction
from typing import Annotated, Any

import typer

from baygrid.cli import completing
from baygrid.cli.options import OwnProject
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local, money, time_of


def register(app: typer.Typer) -> None:
    listings_ = group(app, "listings", listings, "Show what centres sell ahead, and at which price.")
    command(listings_, "create")(create)
    command(app, "buy")(buy)
    command(app, "trades")(trades)


def listings(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/listings")
    session.out.show(
        found,
        ("listing", "kind", "offer", "an hour", "with each", "from", "until", "units", "can be had"),
        [
            [it["id"], it["kind"], it["offer"], f"{it['rate']} {it['currency']}", _beside(it),
             local(it["from"]), local(it["to"]), it["quantity"], _left(it)]
            for it in found
        ],
        right=("an hour", "units"),
        none="no listings yet: a centre makes one with `baygrid listings create`",
    )  # fmt: skip


def _beside(listing: dict[str, Any]) -> str:
    memory = f"{listing['memory_mib'] / 1024:.4g} GiB"
    return f"{listing['cpus']} cpus, {memory}" if listing["cpus"] else memory


def _left(listing: dict[str, Any]) -> str:
    if listing["closed_at"]:
        return f"no, {listing['left']} returned" if listing["kind"] == "reserved" else "no, it is over"
    if listing["kind"] == "spot":
        return f"{listing['taken']} are in use"
    return str(listing["left"])


def create(
    session: Session,
    offer: Annotated[str, typer.Argument(metavar="OFFER", autocompletion=completing.offers)],
    kind: Annotated[str, typer.Option("--kind", "-k", help="spot, reserved or committed.")],
    units: Annotated[int, typer.Option("--units", help="Accelerators; of a plain offer cpus.")],
    rate: Annotated[str, typer.Option("--rate", metavar="AMOUNT", help="Of a unit for an hour.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="For example 2027-01-01.")],
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Else now.")] = None,
    cpus: Annotated[
        int | None, typer.Option("--cpus", help="With each accelerator; else its share of a node.")
    ] = None,
    memory_mib: Annotated[
        int | None, typer.Option("--memory-mib", help="With each unit; else its share of a node.")
    ] = None,
) -> None:
    """Sell units of an offer in a period at another price than the tariff's."""
    body = {"offer": offer, "kind": kind, "quantity": units, "rate": rate, "end": time_of(end)}
    more = {"start": time_of(start), "cpus": cpus, "memory_mib": memory_mib}
    made = session.client.post("/v1/listings", body | {k: v for k, v in more.items() if v is not None})
    session.out.answer(made, f"{made['id']}: {units} units of {offer} are listed")


def buy(
    session: Session,
    listing: Annotated[str, typer.Argument(metavar="LISTING")],
    units: Annotated[int, typer.Option("--units", "-n", help="How many at once.")],
    hours: Annotated[
        int | None,
        typer.Option("--hours", help="Of a commitment: of all units together; else all of the period."),
    ] = None,
    project: OwnProject = None,
    key: Annotated[
        str | None,
        typer.Option("--idempotency-key", metavar="KEY", help="The same key never buys a second time."),
    ] = None,
) -> None:
    """Buy units of a reservation, which is paid at once, or commit to hours."""
    body = {"units": units, "hours": hours, "project": project}
    said = {name: value for name, value in body.items() if value is not None}
    made = session.client.post(f"/v1/listings/{listing}/trades", said, key=key or uuid.uuid4().hex)
    session.out.answer(made, f"{made['id']}: {_sentence(made)}")


def _sentence(trade: dict[str, Any]) -> str:
    period = f"from {local(trade['from'])} until before {local(trade['to'])}"
    if trade["kind"] == "committed":
        what = f"{_hours(trade['hours'])} hours at {trade['rate']} {trade['amount']['currency']} {period}"
        return f"committed to {what}; {money(trade['amount'])} is held, and paid in any case"
    nodes = ", ".join(trade["nodes"])
    kept = f"nodes {nodes} are kept" if nodes else "the price is sure, room is not: no nodes are kept"
    return f"{trade['units']} units {period} for {money(trade['amount'])}, paid; {kept}"


def _hours(exact: str) -> str:
    return f"{float(Fraction(exact)):.6g}"


def trades(session: Session, project: OwnProject = None) -> None:
    """Show what projects bought of listings, and what of it is used."""
    found = session.client.items("/v1/trades", project=project)
    session.out.show(
        found,
        ("trade", "project", "kind", "offer", "units", "in use", "hours", "used", "amount", "until", "nodes"),
        [
            [it["id"], it["project"], it["kind"], it["offer"], it["units"], it["taken"], _hours(it["hours"]),
             _hours(it["used_hours"]), money(it["amount"]), local(it["to"]), ", ".join(it["nodes"])]
            for it in found
        ],
        right=("units", "in use", "hours", "used", "amount"),
        none="nothing was bought: `baygrid listings` shows what can be",
    )  # fmt: skip
