"""What centres do in an hour: measure it, see it, publish what is planned."""

from typing import Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command
from baygrid.cli.shapes import EACH, UNITS, local


def register(app: typer.Typer) -> None:
    command(app, "ratings")(ratings)


def ratings(
    session: Session,
    centre: Annotated[str | None, typer.Argument(metavar="[CENTRE]", help="Only of this one.")] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every rating of the centre, newest first.")
    ] = False,
) -> None:
    """List what centres do in an hour: measured and signed by their agents, or planned."""
    if history and centre is None:
        raise CliError("whose history is not said", code="no-centre", cure="say which centre's")
    items = session.client.items
    found = items(f"/v1/centres/{centre}/ratings") if history else items("/v1/ratings", centre=centre)
    session.out.show(
        found,
        (
            "centre", "partition", "devices", "profile", "an hour", "unit", "for each", "of GEMM",
            "PFLOP/s gives", "gate", "status", "at",
        ),
        [_row(it) for it in found],
        right=("an hour", "for each", "of GEMM", "PFLOP/s gives"),
        none="nothing is rated yet: run `baygrid rate --submit` beside a centre's agent",
    )  # fmt: skip


def _row(it: dict[str, Any]) -> list[str]:
    measured = it["status"] != "planned"
    model = it["accelerator"] or "cpu"
    devices = it["accelerators"] if it["accelerator"] else it["cpus"]
    per = it["units_per_measured_pflops"] if measured else it["units_per_declared_pflops"]
    note = f"planned, {it['note']}" if it["note"] else it["status"]
    return [
        it["centre"],
        it["partition"] or "",
        f"{devices:,} {model}" if measured else "all",
        it["profile"] or "",
        amount(it["units_per_hour"]),
        UNITS[it["unit"]],
        amount(it["per_device_hour"]),
        "" if it["utilisation"] is None else f"{it['utilisation']:.0%}",
        amount(per),
        ", ".join(
            f"{name} {figure:.4g}" for name, figure in (it["gate"] or {"figures": {}})["figures"].items()
        ),
        note,
        local(it["at"]),
    ]


def amount(value: float | None) -> str:
    """As people read it: 1,600,000,000; 28.7; 0.0042."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def work_of(ratings: list[dict[str, Any]], currency: str) -> str:
    """What an offer does in an hour, in a cell: measured with its price, or planned."""
    return "; ".join(_work(it, currency) for it in ratings)


def _work(it: dict[str, Any], currency: str) -> str:
    rate = f"{amount(it['units_per_hour'])} {UNITS[it['unit']]}/h"
    if it["status"] == "planned":
        return f"{rate} planned{', ' + it['note'] if it['note'] else ''} (whole centre)"
    price = f", {it['price']} {currency} per {EACH[it['unit']]}" if it["price"] else ""
    return f"{rate} by {it['devices']}{price} ({it['status']} {local(it['at'])[:10]})"
