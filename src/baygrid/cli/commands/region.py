"""Commands of the region: centres, offers, projects, organisations, tokens."""

import time
from typing import Annotated, Any

import typer

from baygrid.cli.commands.money import time_of
from baygrid.cli.session import Session, command, with_session
from baygrid.cli.shapes import count, local, money

LOOK_S = 1.0
Name = Annotated[str, typer.Argument(metavar="NAME")]
AcceleratorHour = Annotated[
    str, typer.Option("--accelerator-hour", metavar="AMOUNT", help="For example 20.00.")
]
CpuHour = Annotated[str, typer.Option("--cpu-hour", metavar="AMOUNT")]
GibHour = Annotated[str, typer.Option("--gib-hour", metavar="AMOUNT", help="For a GiB of memory.")]
WithOffers = Annotated[
    bool, typer.Option("--with-offers", help="Let the agent set the first prices when it joins.")
]
ValidFrom = Annotated[
    str | None,
    typer.Option("--valid-from", metavar="TIME", help="For example 2026-12-01T00:00+08:00; else now."),
]


def register(app: typer.Typer) -> None:
    centres_group = group(app, "centres", centres, "List centres; create, join, drain and open them.")
    command(centres_group, "show")(centres_show)
    command(centres_group, "usage")(centres_usage)
    command(centres_group, "create")(centres_create)
    command(centres_group, "invite")(centres_invite)
    command(centres_group, "rotate")(centres_rotate)
    command(centres_group, "revoke")(centres_revoke)
    command(centres_group, "drain")(centres_drain)
    command(centres_group, "open")(centres_open)
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


def group(app: typer.Typer, name: str, listing: Any, help: str) -> typer.Typer:
    """A noun that lists by itself and has verbs below."""
    group = typer.Typer(rich_markup_mode=None, invoke_without_command=True)
    group.callback(invoke_without_command=True, help=help)(with_session(listing))
    app.add_typer(group, name=name)
    return group


def centres(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/centres")
    session.out.show(
        found,
        ("centre", "jurisdiction", "driver", "state", "reachable", "partitions"),
        [
            [c["name"], c["jurisdiction"], _driver(c), c["state"], _reach(c), _partitions(c["partitions"])]
            for c in found
        ],
        none="no centres yet: make one with `baygrid centres create NAME --jurisdiction CN-QH`",
    )


def _driver(centre: dict[str, Any]) -> str:
    said = f"{centre['driver']} {centre['version']}".strip()
    trusting = centre["driver"] == "local" and "accounts" not in (centre["capabilities"] or ["accounts"])
    return f"{said}, jobs as its own user" if trusting else said


def _reach(centre: dict[str, Any]) -> str:
    if centre["reachable"]:
        return "yes"
    return f"silent since {local(centre['seen_at'])}" if centre["seen_at"] else "never seen"


def _partitions(partitions: list[dict[str, Any]]) -> str:
    said = []
    for p in partitions:
        accelerators = "".join(f", {number} {model}" for model, number in p["accelerators"].items())
        memory = round(p["memory_mib"] / 1024)
        said.append(
            f"{p['name']}: {count(p['nodes'], 'node')}, {count(p['cpus'], 'cpu')}, {memory} GiB{accelerators}"
        )
    return "; ".join(said)


def centres_show(session: Session, name: Name) -> None:
    """Show a centre with its nodes."""
    centre = session.client.get(f"/v1/centres/{name}")
    if session.json:
        session.out.json(centre)
        return
    session.out.line(
        f"{centre['name']}  {centre['jurisdiction']}  {_driver(centre)}  {centre['state']}  {_reach(centre)}"
    )
    if centre["capabilities"] is not None:
        session.out.line(f"capabilities: {', '.join(centre['capabilities']) or 'none'}")
    nodes = [(p["name"], n) for p in centre["partitions"] for n in p["node_list"]]
    if nodes:
        session.out.table(
            ("partition", "node", "cpus", "memory GiB", "accelerators"),
            [
                [p, n["name"], n["cpus"], round(n["memory_mib"] / 1024),
                 ", ".join(f"{number} {model}" for model, number in n["accelerators"].items())]
                for p, n in nodes
            ],
            right=("cpus", "memory GiB"),
        )  # fmt: skip


def centres_usage(
    session: Session,
    name: Name,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="For example 2026-11-01; else 30 days ago.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until before this time.")] = None,
) -> None:
    """Show what Baygrid's projects, and others without Baygrid, had at a centre. Others are not charged."""
    found = session.client.get(f"/v1/centres/{name}/usage", **{"from": time_of(start), "to": time_of(end)})
    session.out.show(
        found["items"],
        ("account", "by", "jobs", "cpu hours", "accelerator hours"),
        [
            [u["account"] or "unknown", "Baygrid" if u["inside"] else "others", f"{u['jobs']:,}",
             f"{u['cpu_hours']:,.2f}", f"{u['accelerator_hours']:,.2f}"]
            for u in found["items"]
        ],
        right=("jobs", "cpu hours", "accelerator hours"),
        none=f"nothing has ended at {name} in that time",
    )  # fmt: skip


def centres_create(
    session: Session,
    name: Name,
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", "-j", help="For example CN-QH or HK.")],
    driver: Annotated[str, typer.Option("--driver", "-d", help="Else what the agent finds there.")] = "",
    with_offers: WithOffers = False,
) -> None:
    """Make a centre and print the one command that joins it, within the hour and once."""
    body = {"name": name, "jurisdiction": jurisdiction, "driver": driver, "with_offers": with_offers}
    _invitation(session, session.client.post("/v1/centres", body))


def centres_invite(session: Session, name: Name, with_offers: WithOffers = False) -> None:
    """Print another command that joins a centre: its agent was revoked, lost or not started in time."""
    _invitation(session, session.client.post(f"/v1/centres/{name}/invitations", {"with_offers": with_offers}))


def _invitation(session: Session, made: dict[str, Any]) -> None:
    name, server = made["centre"]["name"], session.access.server
    # Not as an option: every process of a machine can read the others' command lines, jobs too.
    joining = f"BAYGRID_JOIN_TOKEN={made['join_token']} baygrid agent join --server {server} --centre {name}"
    if session.json:
        session.out.json({**made, "command": joining})
    else:
        until = local(made["expires_at"])
        session.out.note(
            f"run this at the centre before {until}; the token is used once and not shown again:"
        )
        print(joining, file=session.out.out)  # on one line, whatever the terminal, to be copied


def centres_rotate(session: Session, name: Name) -> None:
    """Let a centre's agent make itself a new credential; the old one ends when the new one is used."""
    _answer(
        session,
        session.client.post(f"/v1/centres/{name}/rotate"),
        f"the agent of {name} makes itself a new credential when it next reports",
    )


def centres_revoke(session: Session, name: Name) -> None:
    """Refuse a centre's agent from now on; what runs there goes on."""
    _answer(
        session,
        session.client.post(f"/v1/centres/{name}/revoke"),
        f"the agent of {name} is refused; `baygrid centres invite {name}` lets one join anew",
    )


def centres_drain(
    session: Session,
    name: Name,
    wait: Annotated[bool, typer.Option("--wait", help="Until nothing runs there any more.")] = False,
) -> None:
    """Place nothing more at a centre; what runs there goes on, and is shown."""
    drained = session.client.post(f"/v1/centres/{name}/drain")
    left = _running_at(session, name)
    if not session.json:
        session.out.line(f"{name} is drained" + (f"; {count(len(left), 'job')} there" if left else ""))
        if left:
            session.out.table(
                ("job", "name", "project", "state"),
                [[job["id"], job["name"], job["project"], job["attempts"][-1]["state"]] for job in left],
            )
    while wait and left:
        time.sleep(LOOK_S)
        before, left = len(left), _running_at(session, name)
        if len(left) != before and not session.json:
            session.out.line(
                f"{count(len(left), 'job')} left" if left else f"nothing runs at {name} any more"
            )
    if session.json:
        session.out.json(drained | {"jobs": [job["id"] for job in left]})


def _running_at(session: Session, centre: str) -> list[dict[str, Any]]:
    """Jobs whose last attempt is there and has not ended."""
    jobs = session.client.items("/v1/jobs", state="ACTIVE")
    return [job for job in jobs if job["centre"] == centre]


def centres_open(session: Session, name: Name) -> None:
    """Place jobs at a centre again."""
    _answer(session, session.client.post(f"/v1/centres/{name}/open"), f"{name} is open")


def offers(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/offers")
    figures = ("accelerator_hour", "cpu_hour", "gib_hour")
    session.out.show(
        found,
        (
            "offer", "centre", "partition", "accelerator", "currency",
            "accelerator hour", "cpu hour", "GiB hour", "can be had",
        ),
        [
            [o["id"], o["centre"], o["partition"], o["accelerator"], o["currency"], *(o[f] for f in figures),
             "now" if o["reachable"] and str(o["state"]).lower() == "open" else f"no, {_why_not(o)}"]
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
) -> None:
    """Offer a partition at a price."""
    body = {"centre": centre, "partition": partition, "accelerator": accelerator, "currency": currency}
    rates = {"accelerator_hour": accelerator_hour, "cpu_hour": cpu_hour, "gib_hour": gib_hour}
    optional = {key: value for key, value in (("id", id), ("valid_from", valid_from)) if value}
    made = session.client.post("/v1/offers", {**body, **rates, **optional})
    _answer(session, made, f"{made['id']} is offered")


def offers_tariff(
    session: Session,
    offer: Annotated[str, typer.Argument(metavar="OFFER")],
    cpu_hour: CpuHour,
    gib_hour: GibHour,
    accelerator_hour: AcceleratorHour = "0",
    valid_from: ValidFrom = None,
) -> None:
    """Set the rates of an offer from a day on. What was used before keeps the rates of its day."""
    body = {"accelerator_hour": accelerator_hour, "cpu_hour": cpu_hour, "gib_hour": gib_hour}
    made = session.client.post(
        f"/v1/offers/{offer}/tariffs", body | ({"valid_from": valid_from} if valid_from else {})
    )
    _answer(session, made, f"{offer} has a new tariff")


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
    _answer(session, made, f"{name} is made, with {money(made['free'])} free")


def projects_grant(
    session: Session,
    name: Name,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help='For example "500 CNY".')],
    narration: Annotated[str, typer.Option("--narration", "-m", help="What the ledger will say.")] = "grant",
) -> None:
    """Give a project money."""
    made = session.client.post(f"/v1/projects/{name}/grants", {"amount": amount, "narration": narration})
    _answer(session, made, f"{name} has {money(made['free'])} free")


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
    _answer(session, made, f"{name} is made")


def tokens(session: Session, context: typer.Context) -> None:
    if context.invoked_subcommand:
        return
    found = session.client.items("/v1/tokens")
    session.out.show(
        found,
        ("token", "role", "for", "label", "made", "revoked"),
        [
            [t["id"], t["role"], t.get("project") or t.get("centre"), t["label"], local(t.get("created_at")),
             local(t.get("revoked_at"))]
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
) -> None:
    """Make a token; it is shown only here."""
    body = {"role": role, "project": project, "centre": centre, "label": label}
    made = session.client.post("/v1/tokens", {key: value for key, value in body.items() if value is not None})
    if session.json:
        session.out.json(made)
    else:
        session.out.note(f"{made['id']}; the token is not shown again:")
        print(made["token"], file=session.out.out)


def tokens_revoke(session: Session, token: Annotated[str, typer.Argument(metavar="TOKEN-ID")]) -> None:
    """Take a token back."""
    session.client.delete(f"/v1/tokens/{token}")
    _answer(session, {"id": token, "revoked": True}, f"{token} is revoked")


def attempts_lost(session: Session, attempt: Annotated[str, typer.Argument(metavar="ATTEMPT")]) -> None:
    """Decide that a silent attempt is lost: its job ends, nothing is charged for it."""
    job = session.client.post(f"/v1/attempts/{attempt}/lost")
    _answer(session, job, f"{attempt} is lost; {job['id']} is {job['state']}")


def _answer(session: Session, made: Any, said: str) -> None:
    if session.json:
        session.out.json(made)
    else:
        session.out.line(said)
