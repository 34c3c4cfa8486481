"""Commands of the region: offers, projects, organisations, tokens; and the end of a silent attempt."""

import uuid
from typing import Annotated, Any

import typer

from baygrid.cli import completing, tariffs
from baygrid.cli.commands.ratings import work_of
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import local, money, time_of
from baygrid.cli.tariffs import besides

Name = Annotated[str, typer.Argument(metavar="NAME")]
AcceleratorHour = Annotated[
    str, typer.Option("--accelerator-hour", metavar="AMOUNT", help="For example 20.00.")
]
CpuHour = Annotated[str, typer.Option("--cpu-hour", metavar="AMOUNT")]
GibHour = Annotated[str, typer.Option("--gib-hour", metavar="AMOUNT", help="For a GiB of memory.")]
ValidFrom = Annotated[
    str | None,
    typer.Option("--valid-from", metavar="TIME", help="For example 2026-12-01T00:00+08:00; else now."),
]


def register(app: typer.Typer) -> None:
    offers_group = group(
        app, "offers", offers, "List what can be had at which price; create offers, set tariffs."
    )
    command(offers_group, "create")(offers_create)
    command(offers_group, "tariff")(offers_tariff)
    projects_group = group(app, "projects", projects, "List projects with their money; create and fund them.")
    command(projects_group, "create")(projects_create)
    command(projects_group, "grant")(projects_grant)
    organisations_group = group(app, "organisations", organisations, "List organisations; create one.")
    command(organisations_group, "create")(organisations_create)
    tokens_group = group(app, "tokens", tokens, "List tokens; create and revoke them.")
    command(tokens_group, "create")(tokens_create)
    command(tokens_group, "revoke")(tokens_revoke)
    attempts_group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(
        attempts_group, name="attempts", help="Decide about an attempt that its centre is silent about."
    )
    command(attempts_group, "lost")(attempts_lost)


def offers(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/offers")
    figures = ("accelerator_hour", "cpu_hour", "gib_hour")
    session.out.show(
        found,
        (
            "offer", "centre", "partition", "accelerator", "currency",
            "accelerator hour", "cpu hour", "GiB hour", "can be had", "besides", "does in an hour",
        ),
        [
            [o["id"], o["centre"], o["partition"], o["accelerator"], o["currency"], *(o[f] for f in figures),
             "now" if o["reachable"] and str(o["state"]).lower() == "open" else f"no, {_why_not(o)}",
             besides(o), work_of(o["ratings"], o["currency"])]
            for o in found
        ],
        right=("accelerator hour", "cpu hour", "GiB hour"),
        none="no offers yet: make one with `baygrid offers create`",
    )  # fmt: skip


def _why_not(offer: dict[str, Any]) -> str:
    return "the centre is silent" if not offer["reachable"] else f"the centre is {offer['state']}"


def offers_create(
    session: Session,
    centre: Annotated[str, typer.Option("--centre", "-c")],
    partition: Annotated[str, typer.Option("--partition")],
    currency: Annotated[str, typer.Option("--currency", help="CNY, HKD or JPY.")],
    cpu_hour: CpuHour,
    gib_hour: GibHour,
    accelerator: Annotated[
        str | None, typer.Option("--accelerator", help="The model; none is a plain offer.")
    ] = None,
    accelerator_hour: AcceleratorHour = "0",
    valid_from: ValidFrom = None,
    id: Annotated[str | None, typer.Option("--id", help="Else one is made.")] = None,
    minimum: tariffs.Minimum = "0s",
    round_up: tariffs.RoundUp = "0s",
    egress_gib: tariffs.EgressGib = "0",
    energy_price: tariffs.EnergyPrice = None,
    utc_offset: tariffs.UtcOffset = "+08:00",
    watts_cpu: tariffs.WattsCpu = 0,
    watts_accelerator: tariffs.WattsAccelerator = 0,
) -> None:
    """Offer a partition at a price."""
    body = {"centre": centre, "partition": partition, "accelerator": accelerator, "currency": currency}
    rates = {"accelerator_hour": accelerator_hour, "cpu_hour": cpu_hour, "gib_hour": gib_hour}
    optional = {key: value for key, value in (("id", id), ("valid_from", valid_from)) if value}
    terms = tariffs.terms(
        minimum, round_up, egress_gib, energy_price, utc_offset, watts_cpu, watts_accelerator
    )
    made = session.client.post("/v1/offers", {**body, **rates, **terms, **optional})
    session.out.answer(made, f"{made['id']} is offered")


def offers_tariff(
    session: Session,
    offer: Annotated[str, typer.Argument(metavar="OFFER", autocompletion=completing.offers)],
    cpu_hour: CpuHour,
    gib_hour: GibHour,
    accelerator_hour: AcceleratorHour = "0",
    valid_from: ValidFrom = None,
    minimum: tariffs.Minimum = "0s",
    round_up: tariffs.RoundUp = "0s",
    egress_gib: tariffs.EgressGib = "0",
    energy_price: tariffs.EnergyPrice = None,
    utc_offset: tariffs.UtcOffset = "+08:00",
    watts_cpu: tariffs.WattsCpu = 0,
    watts_accelerator: tariffs.WattsAccelerator = 0,
) -> None:
    """Set the rates of an offer from a day on. What was used before keeps the rates of its day."""
    body: dict[str, Any] = {
        "accelerator_hour": accelerator_hour,
        "cpu_hour": cpu_hour,
        "gib_hour": gib_hour,
    }
    body |= tariffs.terms(
        minimum, round_up, egress_gib, energy_price, utc_offset, watts_cpu, watts_accelerator
    )
    made = session.client.post(
        f"/v1/offers/{offer}/tariffs", body | ({"valid_from": valid_from} if valid_from else {})
    )
    session.out.answer(made, f"{offer} has a new tariff")


def projects(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/projects")
    amounts = ("granted", "held", "charged", "free")
    session.out.show(
        found,
        ("project", "organisation", *amounts),
        [[p["name"], p["organisation"], *(money(p[amount]) for amount in amounts)] for p in found],
        right=amounts,
        none="no projects yet: make one with `baygrid projects create NAME --organisation NAME`",
    )


def projects_create(
    session: Session,
    name: Name,
    organisation: Annotated[str, typer.Option("--organisation", "-o")],
    currency: Annotated[str, typer.Option("--currency", help="CNY, HKD or JPY.")] = "CNY",
    grant: Annotated[
        str | None, typer.Option("--grant", metavar="AMOUNT", help='For example "1000 CNY".')
    ] = None,
) -> None:
    """Make a project."""
    body = {"name": name, "organisation": organisation, "currency": currency}
    made = session.client.post("/v1/projects", body | ({"grant": grant} if grant else {}))
    session.out.answer(made, f"{name} is made, with {money(made['free'])} free")


def projects_grant(
    session: Session,
    name: Name,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help='For example "500 CNY".')],
    narration: Annotated[
        str, typer.Option("--narration", "-m", help="What it is for; the ledger will say so.")
    ] = "grant",
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Else now.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Else without end.")] = None,
    credit: Annotated[bool, typer.Option("--credit", help="To be paid when it is invoiced.")] = False,
) -> None:
    """Give a project money: an allocation, of which after its end goes back what nobody used."""
    period = {"from": time_of(start), "to": time_of(end)}
    body = {"amount": amount, "narration": narration, "credit": credit}
    body |= {key: at for key, at in period.items() if at is not None}
    made = session.client.post(f"/v1/projects/{name}/grants", body, key=str(uuid.uuid4()))
    session.out.answer(made, f"{name} has {money(made['free'])} free")


def organisations(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/organisations")
    session.out.show(
        found,
        ("organisation", "kind", "title"),
        [[o["name"], o["kind"], o["title"]] for o in found],
        none="no organisations yet: make one with `baygrid organisations create NAME --kind company`",
    )


def organisations_create(
    session: Session,
    name: Name,
    kind: Annotated[str, typer.Option("--kind", "-k", help="company, university or institute.")],
    title: Annotated[str | None, typer.Option("--title", help="Its full name.")] = None,
) -> None:
    """Make an organisation."""
    made = session.client.post("/v1/organisations", {"name": name, "kind": kind, "title": title or name})
    session.out.answer(made, f"{name} is made")


def tokens(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/tokens")
    session.out.show(
        found,
        ("token", "role", "for", "label", "good for", "user", "made", "until", "revoked"),
        [
            [t["id"], t["role"], t.get("project") or t.get("centre"), t["label"], " ".join(t["scopes"]),
             t["user"], local(t["created_at"]), local(t["expires_at"]), local(t["revoked_at"])]
            for t in found
        ],
        none="no tokens",
    )  # fmt: skip


def tokens_create(
    session: Session,
    role: Annotated[str, typer.Option("--role", help="team, centre or operator.")] = "team",
    project: Annotated[str | None, typer.Option("--project", "-p", help="For a team.")] = None,
    centre: Annotated[str | None, typer.Option("--centre", "-c", help="For a centre.")] = None,
    label: Annotated[str, typer.Option("--label", "-l", help="Who will have it.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="read, use or manage; may be repeated. [default: read and use]"),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", help="Until it expires. [default: 90; an operator's never]")
    ] = None,
) -> None:
    """Make a token of a service, which is nobody's own; it is shown only here."""
    body = {"role": role, "project": project, "centre": centre, "label": label, "scopes": scope, "days": days}
    made = session.client.post("/v1/tokens", {key: value for key, value in body.items() if value is not None})
    if session.json:
        session.out.json(made)
    else:
        session.out.note(f"{made['id']}; the token is not shown again:")
        print(made["token"], file=session.out.out)


def tokens_revoke(session: Session, token: Annotated[str, typer.Argument(metavar="TOKEN-ID")]) -> None:
    """Take a token back."""
    session.client.delete(f"/v1/tokens/{token}")
    session.out.answer({"id": token, "revoked": True}, f"{token} is revoked")


def attempts_lost(session: Session, attempt: Annotated[str, typer.Argument(metavar="ATTEMPT")]) -> None:
    """Decide that a silent attempt is lost: its job ends, nothing is charged for it."""
    job = session.client.post(f"/v1/attempts/{attempt}/lost")
    session.out.answer(job, f"{attempt} is lost; {job['id']} is {job['state']}")
