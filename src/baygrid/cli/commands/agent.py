"""Commands of a centre's operator: the agent, how it joins, and what is wrong with it."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, group, settle
from baygrid.client import config

if TYPE_CHECKING:
    from baygrid.wiring.joining import Found
    from baygrid.wiring.settings import AgentSettings

Centre = Annotated[str | None, typer.Option("--centre", "-c", metavar="NAME", help="Which centre's agent.")]
Driver = Annotated[
    str | None,
    typer.Option(
        "--driver", "-d", help="local, slurm, kubernetes or ray; else as it joined, or as is found."
    ),
]
State = Annotated[
    Path | None,
    typer.Option("--state", help="The folder of its journal and jobs. [default: ~/.baygrid/agents/NAME]"),
]
Node = Annotated[
    list[str] | None,
    typer.Option("--node", metavar="SPEC", help="A node to declare; may be repeated. Else this machine."),
]
Option = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="NAME=TEXT", help="A setting of the driver; may be repeated."),
]
AccountMap = Annotated[
    list[str] | None,
    typer.Option(
        "--account-map",
        metavar="PROJECT=USER|FILE",
        help="Whom a project's jobs run as; may be repeated. Slurm: USER[:ACCOUNT].",
    ),
]
RunAs = Annotated[
    str, typer.Option("--run-as", metavar="USER", help="Whom the jobs of all other projects run as.")
]
Staging = Annotated[
    Path | None,
    typer.Option("--staging", metavar="FILE", help="What the centre may fetch for jobs (YAML)."),
]
AsMe = Annotated[bool, typer.Option("--as-me", help="Let jobs run as the agent's own user, who has its key.")]
Every = Annotated[
    int | None,
    typer.Option(
        "--measure-every",
        metavar="SECONDS",
        min=0,
        help="How often its link to the exchange is measured, about; 0: never. [default: 3600]",
    ),
]

_WHO = {"account_map", "run_as", "as_me"}


def register(app: typer.Typer) -> None:
    nouns = group(app, "agent", agent, "Start the agent of a centre, which only dials out; join one.")
    command(nouns, "join")(join)
    command(nouns, "doctor")(doctor)


def agent(
    session: Session,
    context: typer.Context,
    centre: Centre = None,
    driver: Driver = None,
    state: State = None,
    node: Node = None,
    option: Option = None,
    account_map: AccountMap = None,
    run_as: RunAs = "",
    as_me: AsMe = False,
    staging: Staging = None,
    measure_every: Every = None,
) -> None:
    if context.invoked_subcommand:
        return
    given = _given(driver, node, option, account_map, run_as, as_me, staging, measure_every)
    # Not BAYGRID_TOKEN: in a shell that is a person's, and would be taken for what the agent joined with.
    settings = _settings(session, centre, state, given, session.token or "", "local")
    _start(session, settings, {})


def join(
    session: Session,
    centre: Centre = None,
    driver: Driver = None,
    state: State = None,
    node: Node = None,
    option: Option = None,
    account_map: AccountMap = None,
    run_as: RunAs = "",
    as_me: AsMe = False,
    staging: Staging = None,
    measure_every: Every = None,
    accelerator_hour: Annotated[
        list[str] | None,
        typer.Option("--accelerator-hour", metavar="[MODEL=]AMOUNT", help="For an offer; may be repeated."),
    ] = None,
    cpu_hour: Annotated[
        str | None, typer.Option("--cpu-hour", metavar="AMOUNT", help="For an offer.")
    ] = None,
    gib_hour: Annotated[
        str | None, typer.Option("--gib-hour", metavar="AMOUNT", help="For an offer.")
    ] = None,
    currency: Annotated[str, typer.Option("--currency", help="CNY, HKD or JPY.")] = "CNY",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Accept what is found.")] = False,
) -> None:
    """Join a centre with the token in BAYGRID_JOIN_TOKEN, as `baygrid centres create` printed, and go on as
    its agent. What is found here is shown first."""
    from baygrid.wiring import joining
    from baygrid.wiring.agents import Ended

    token = os.environ.get("BAYGRID_JOIN_TOKEN")
    if not token:
        raise CliError(
            "there is no join token",
            code="unauthorized",
            cure="copy the whole line that `baygrid centres create` printed, from BAYGRID_JOIN_TOKEN= on",
        )
    if not yes and not sys.stdin.isatty():
        raise CliError("nobody can be asked here", code="not-asked", cure="say --yes to accept what is found")
    given = _given(driver, node, option, account_map, run_as, as_me, staging, measure_every)
    settings = _settings(session, centre, state, given, token, "")
    prices = joining.Prices(currency, _by_model(accelerator_hour or []), cpu_hour, gib_hour)
    shown: dict[str, Any] = {}

    def accept(found: "Found") -> bool:
        shown.update(found.to_json())
        if not session.json:
            _show(session, found, prices.said)
        return yes or typer.confirm("join with this?", err=True)

    settle()
    try:
        settings, made = joining.join(settings, prices, accept)
    except Ended as ended:
        raise CliError(str(ended), code="not-joined") from ended
    except ValueError as wrong:
        raise CliError(str(wrong), code="bad-settings") from wrong
    if not session.json:
        session.out.line(f"joined {settings.centre}" + (f"; offers {', '.join(made)}" if made else ""))
    _start(session, settings, shown | {"offers_made": made})


def doctor(
    session: Session,
    centre: Centre = None,
    driver: Driver = None,
    state: State = None,
    node: Node = None,
    option: Option = None,
    account_map: AccountMap = None,
    run_as: RunAs = "",
    as_me: AsMe = False,
) -> None:
    """Look for what is wrong with an agent, and say the cure. Exit 1 if something is."""
    from dataclasses import asdict

    from baygrid.wiring.doctor import examine

    given = _given(driver, node, option, account_map, run_as, as_me)
    settings = _settings(session, centre, state, given, "", "local")
    settle()
    checks = []
    for check in examine(settings):
        checks.append(check)
        if not session.json:
            session.out.line(f"{'ok   ' if check.ok else 'wrong'}  {check.name}: {check.said}")
            if check.cure:
                session.out.line(f"       cure: {check.cure}")
    if session.json:
        session.out.json([asdict(check) for check in checks])
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _given(
    driver: str | None,
    node: list[str] | None,
    option: list[str] | None,
    account_map: list[str] | None,
    run_as: str,
    as_me: bool,
    staging: Path | None = None,
    every: int | None = None,
) -> dict[str, Any]:
    """What was said, as fields of AgentSettings."""
    lists = {"nodes": node, "options": option, "account_map": account_map}
    said: dict[str, Any] = {key: tuple(values) for key, values in lists.items() if values}
    rules = str(staging.absolute()) if staging is not None else ""
    texts = {"driver": driver, "run_as": run_as, "as_me": as_me, "staging": rules}
    said |= {} if every is None else {"measure_every": every}
    return said | {key: value for key, value in texts.items() if value}


def _settings(
    session: Session, centre: str | None, state: Path | None, said: dict[str, Any], token: str, usual: str
) -> "AgentSettings":
    """What is said now, before how it joined. `usual`: the driver where nothing says which."""
    from baygrid import wiring
    from baygrid.wiring.joining import kept

    home = Path.home() / ".baygrid" / "agents"
    if centre is None and state is None:
        known = sorted(path.name for path in home.glob("*") if path.is_dir())
        if len(known) != 1:
            cure = f"say --centre NAME; there are {', '.join(known)}" if known else "say --centre NAME"
            raise CliError("which centre's agent is not said", code="no-centre", cure=cure)
        centre = known[0]
    folder = state or home / str(centre)
    before = kept(folder)
    if said.keys() & _WHO:  # said anew as a whole: what it joined with may be the other way
        before = {key: value for key, value in before.items() if key not in _WHO}
    server = session.server or os.environ.get("BAYGRID_SERVER") or before.get("server")
    whole: dict[str, Any] = {"driver": usual, "centre": "", **before, **said, "token": token, "state": folder}
    whole["server"] = config.access(server, token or "kept", os.environ).server
    return wiring.AgentSettings(**whole | ({"centre": centre} if centre else {}))


def _start(session: Session, settings: "AgentSettings", about: dict[str, Any]) -> None:
    from baygrid import wiring
    from baygrid.wiring.agents import Ended

    settle()
    try:
        wiring.agent(settings, lambda nodes: _ready(session, settings.server, nodes, about))
    except Ended as ended:
        raise CliError(str(ended), code="agent-ended") from ended
    except ValueError as wrong:
        raise CliError(str(wrong), code="bad-settings") from wrong


def _ready(session: Session, server: str, nodes: str, about: dict[str, Any]) -> None:
    """It works from now on, whether the server can be reached yet or not."""
    if session.json:
        print(json.dumps({**about, "server": server, "nodes": nodes}), file=session.out.out, flush=True)
    else:
        session.out.line(f"agent of {server} with {nodes}")


def _by_model(texts: list[str]) -> dict[str, str]:
    """ "H100=20" or "20" for all others."""
    prices = {}
    for text in texts:
        model, _, price = text.rpartition("=")
        prices[model] = price
    return prices


def _show(session: Session, found: "Found", priced: bool) -> None:
    out = session.out
    version = f" {found.version}" if found.version else ""
    out.line(f"{found.centre}: driver {found.driver}{version} ({found.why})")
    out.line(f"capabilities: {', '.join(found.capabilities) or 'none'}")
    rows = []
    for partition in found.partitions:
        kinds: dict[tuple[int, int, str], int] = {}
        for node in partition.nodes:
            models = ", ".join(f"{number} {model}" for model, number in sorted(node.accelerators.items()))
            kind = (node.cpus, round(node.memory_mib / 1024), models)
            kinds[kind] = kinds.get(kind, 0) + 1
        rows += [[partition.name, number, *kind] for kind, number in kinds.items()]
    numbers = ("nodes", "cpus", "memory GiB")
    out.table(("partition", *numbers, "accelerators"), rows, right=numbers)
    if not priced:
        out.note(
            "without a price nothing is placed there: say --accelerator-hour, --cpu-hour and --gib-hour, or"
            " let the region's operator run `baygrid offers create`"
        )
    if found.offers:
        keys = ("partition", "accelerator", "currency", "accelerator_hour", "cpu_hour", "gib_hour")
        prices = ("accelerator hour", "cpu hour", "GiB hour")
        rows = [[offer.get(key) for key in keys] for offer in found.offers]
        out.table(("offer for", "accelerator", "currency", *prices), rows, right=prices)
    if found.offers and not found.may_offer:
        out.note("this join token makes no offers; the region's operator runs:")
        for offer in found.offers:
            out.note(f"  {offer_command(found.centre, offer)}")


def offer_command(centre: str, offer: Any) -> str:
    """The command by which the region's operator makes a proposed offer."""
    keys = ("partition", "accelerator", "currency", "accelerator_hour", "cpu_hour", "gib_hour")
    said = [f"--{key.replace('_', '-')} {offer[key]}" for key in keys if offer.get(key)]
    return " ".join([f"baygrid offers create --centre {centre}", *said])
