"""Commands that start something on this machine, and the client's own settings."""

import errno
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from baygrid import __version__
from baygrid.cli import config
from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, settle


def register(app: typer.Typer) -> None:
    command(app, "serve")(serve)
    command(app, "agent")(agent)
    command(app, "login")(login)
    command(app, "simulate")(simulate)
    application = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(application, name="app", help="Run a reference application on this machine.")
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    application.command("images", context_settings=passed_on, help="Classify images.")(images)
    command(app, "version")(version)


def serve(
    session: Session,
    host: Annotated[str, typer.Option("--host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8470,
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder of everything. [default: ~/.baygrid]")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="PostgreSQL, for production.")
    ] = None,
    objects: Annotated[
        str | None, typer.Option("--objects", metavar="DIR|s3://...", help="Where content lies.")
    ] = None,
    centre: Annotated[
        bool | None,
        typer.Option(
            "--embedded-centre/--no-embedded-centre",
            help="This machine as the first centre. [default: yes on SQLite, no with --database]",
        ),
    ] = None,
    node: Annotated[
        list[str] | None,
        typer.Option("--node", metavar="SPEC", help="A node of the embedded centre; may be repeated."),
    ] = None,
) -> None:
    """Start a server. Alone it is a whole region: SQLite, one local centre, nothing else to start."""
    from baygrid import wiring
    from baygrid.wiring.server import AlreadyRunning

    settings = wiring.ServerSettings(
        data=data or Path.home() / ".baygrid", host=host, port=port, database=database, objects=objects
    )
    # Several servers share one PostgreSQL, and they cannot all be the centre `local`.
    embedded = "local" if centre or (centre is None and database is None) else None
    settings = replace(settings, embedded=embedded, embedded_nodes=tuple(node or ()))
    settle()
    try:
        wiring.serve(settings, lambda address, secret: _ready(session, address, secret))
    except AlreadyRunning as running:
        raise CliError(str(running), code="already-running") from running
    except ValueError as wrong:
        raise CliError(str(wrong), code="bad-settings") from wrong
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise CliError(
            f"something else listens on {host}:{port}", code="address-in-use", cure="choose another --port"
        ) from error


def _ready(session: Session, address: str, secret: str | None) -> None:
    """Requests are taken from now on. Whoever started this server needs no login to use it."""
    if session.json:
        print(json.dumps({"server": address}), file=session.out.out, flush=True)
    else:
        session.out.line(f"baygrid serves at {address}")
    if secret is not None:  # a second server on one database has no operator's secret
        remember(session, address, secret.strip())


def remember(session: Session, server: str, token: str) -> None:
    """Notes the embedded server for the commands that follow, unless somebody has logged in elsewhere."""
    path = config.config_path(os.environ)
    try:
        known = config.load(path)
        if known is None or known.by == "serve":
            config.save(path, config.Config(server, token, by="serve"))
            return
    except (CliError, OSError) as error:  # the server serves all the same
        session.out.note(f"{error}; use --server {server} and --token")
        return
    if known.server != server:
        session.out.note(f"you are logged in at {known.server}; for this server use --server {server}")


def agent(
    session: Session,
    centre: Annotated[str, typer.Option("--centre", "-c", metavar="NAME")],
    driver: Annotated[str, typer.Option("--driver", "-d")] = "local",
    state: Annotated[Path | None, typer.Option("--state", help="The folder of its journal and jobs.")] = None,
    node: Annotated[
        list[str] | None,
        typer.Option("--node", metavar="SPEC", help="A node to declare; may be repeated. Else this machine."),
    ] = None,
) -> None:
    """Start the agent of a centre. It only dials out; `baygrid centres create` prints the whole command."""
    from baygrid import wiring
    from baygrid.wiring.agents import Ended

    token = session.token or os.environ.get("BAYGRID_TOKEN")
    if not token:
        raise CliError(
            "the agent has no token",
            code="unauthorized",
            cure="give it the one that `baygrid centres create` printed, by --token or BAYGRID_TOKEN",
        )
    settings = wiring.AgentSettings(
        centre=centre,
        server=config.access(session.server, token, os.environ).server,
        token=token,
        state=state or Path.home() / ".baygrid" / "agents" / centre,
        driver=driver,
        nodes=tuple(node or ()),
    )
    settle()
    try:
        wiring.agent(settings, lambda nodes: _agent_ready(session, settings.server, nodes))
    except Ended as ended:
        raise CliError(str(ended), code="agent-ended") from ended
    except ValueError as wrong:
        raise CliError(str(wrong), code="bad-settings") from wrong


def _agent_ready(session: Session, server: str, nodes: str) -> None:
    """It works from now on, whether the server can be reached yet or not."""
    if session.json:
        print(json.dumps({"server": server, "nodes": nodes}), file=session.out.out, flush=True)
    else:
        session.out.line(f"agent of {server} with {nodes}")


def login(session: Session) -> None:
    """Remember a server and a token for the commands that follow. Without --token it is asked for."""
    server = session.server or os.environ.get("BAYGRID_SERVER") or config.DEFAULT_SERVER
    token = session.token or os.environ.get("BAYGRID_TOKEN")
    if not token:
        token = (
            typer.prompt("token", hide_input=True, err=True)
            if sys.stdin.isatty()
            else sys.stdin.readline().strip()
        )
    if not token:
        raise CliError("no token was given", code="unauthorized", cure="use --token TOKEN")
    session.server, session.token = server, token
    me: dict[str, Any] = session.client.get("/v1/me")
    path = config.config_path(os.environ)
    config.save(path, config.Config(session.access.server, token))
    if session.json:
        session.out.json({"server": session.access.server, "config": str(path), **me})
    else:
        whose = me.get("project") or me.get("centre")
        session.out.line(
            f"logged in at {session.access.server} as {me['role']}{f' of {whose}' if whose else ''}"
        )


def simulate(
    session: Session,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many histories.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Jobs in each.")] = 100,
    first: Annotated[int, typer.Option("--first", min=0, help="The first seed.")] = 0,
) -> None:
    """Run the whole region in one thread under simulated time and faults, and check what must hold."""
    from dataclasses import asdict

    from baygrid.sim import Outcome
    from baygrid.sim import simulate as run_seeds

    def tell(outcome: Outcome) -> None:
        found = outcome.failure
        verdict = f"VIOLATES {found.invariant}: {found.subject} {found.detail}" if found else "holds"
        session.out.note(f"seed {outcome.seed}: {outcome.jobs} jobs, {outcome.steps} steps, {verdict}")

    settle()
    summary = run_seeds(seeds, jobs, first, tell)
    if session.json:
        failures = [asdict(failure) for failure in summary.failures]
        session.out.json(
            {"seeds": summary.seeds, "jobs": summary.jobs, "steps": summary.steps, "failures": failures}
        )
    else:
        session.out.line(f"{summary.seeds} histories, {summary.jobs} jobs: {len(summary.failures)} failures")
    raise typer.Exit(1 if summary.failures else 0)


def images(context: typer.Context) -> None:
    """Everything after `images` is the application's own."""
    try:
        from baygrid.workloads.images.cli import main
    except ImportError as missing:
        raise CliError(
            f"the images application needs packages that are not here: {missing}",
            code="not-installed",
            cure="pip install 'baygrid[images]'",
        ) from missing
    settle()
    raise typer.Exit(main(context.args))


def version(session: Session) -> None:
    """Print the version."""
    if session.json:
        session.out.json({"version": __version__})
    else:
        session.out.line(__version__)
