"""Commands of centres: see them, let them join, drain and open them."""

import time
from typing import Annotated, Any

import typer

from baygrid.cli import completing
from baygrid.cli.commands.ratings import amount
from baygrid.cli.options import End
from baygrid.cli.session import Session, command, group
from baygrid.cli.shapes import UNITS, count, local, time_of

LOOK_S = 1.0
Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completing.centres)]
WithOffers = Annotated[
    bool, typer.Option("--with-offers", help="Let the agent set the first prices when it joins.")
]


def register(app: typer.Typer) -> None:
    nouns = group(app, "centres", centres, "List centres; create, join, drain and open them.")
    command(nouns, "show")(show)
    command(nouns, "usage")(usage)
    command(nouns, "create")(create)
    command(nouns, "invite")(invite)
    command(nouns, "rotate")(rotate)
    command(nouns, "revoke")(revoke)
    command(nouns, "drain")(drain)
    command(nouns, "open")(open_)
    command(nouns, "plan")(plan)


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


def show(session: Session, name: Name) -> None:
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


def usage(
    session: Session,
    name: Name,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="For example 2026-11-01; else 30 days ago.")
    ] = None,
    end: End = None,
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


def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", "-j", help="For example CN-QH or HK.")],
    driver: Annotated[str, typer.Option("--driver", "-d", help="Else what the agent finds there.")] = "",
    with_offers: WithOffers = False,
) -> None:
    """Make a centre and print the one command that joins it, within the hour and once."""
    body = {"name": name, "jurisdiction": jurisdiction, "driver": driver, "with_offers": with_offers}
    _invitation(session, session.client.post("/v1/centres", body))


def invite(session: Session, name: Name, with_offers: WithOffers = False) -> None:
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


def rotate(session: Session, name: Name) -> None:
    """Let a centre's agent make itself a new credential; the old one ends when the new one is used."""
    session.out.answer(
        session.client.post(f"/v1/centres/{name}/rotate"),
        f"the agent of {name} makes itself a new credential when it next reports",
    )


def revoke(session: Session, name: Name) -> None:
    """Refuse a centre's agent from now on; what runs there goes on."""
    session.out.answer(
        session.client.post(f"/v1/centres/{name}/revoke"),
        f"the agent of {name} is refused; `baygrid centres invite {name}` lets one join anew",
    )


def drain(
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


def open_(session: Session, name: Name) -> None:
    """Place jobs at a centre again."""
    session.out.answer(session.client.post(f"/v1/centres/{name}/open"), f"{name} is open")


def plan(
    session: Session,
    name: Name,
    images: Annotated[float | None, typer.Option("--images", metavar="N", help="In an hour.")] = None,
    audio_hours: Annotated[
        float | None, typer.Option("--audio-hours", metavar="N", help="In an hour.")
    ] = None,
    km: Annotated[
        float | None, typer.Option("--km", metavar="N", help="Of driving data, in an hour.")
    ] = None,
    pflops: Annotated[
        float | None, typer.Option("--pflops", metavar="N", help="FP16 PFLOP/s of the whole centre.")
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help='Such as "on completion".')] = "",
) -> None:
    """Publish what a centre is to do, unmeasured: shown as planned, and no decision rests on it. What is left
    out is taken back."""
    units = {"images": images, "audio_hours": audio_hours, "km": km}
    body: dict[str, Any] = {
        "units_per_hour": {unit: n for unit, n in units.items() if n is not None},
        "note": note,
    }
    if pflops is not None:
        body["flops"] = pflops * 1e15
    made = session.client.send("PUT", f"/v1/centres/{name}/plan", json=body).json()
    said = ", ".join(f"{amount(it['units_per_hour'])} {UNITS[it['unit']]}" for it in made["items"])
    session.out.answer(
        made, f"{name} is planned to do in an hour: {said}" if said else f"nothing is planned of {name}"
    )
