"""`baygrid ray start`: one program on all nodes of a job, by Ray."""

import os
import shutil
from typing import NoReturn

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import settle


def register(app: typer.Typer) -> None:
    ray = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(ray, name="ray", help="One program on all nodes of a job, by Ray.")
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True}
    ray.command("start", context_settings=passed_on)(start)


def start(context: typer.Context) -> None:
    """Inside `run:` of a job: a Ray cluster on its nodes until the program ends. The program runs on the
    first node, with RAY_ADDRESS set; the others are nodes of its cluster. Either `baygrid ray start --
    COMMAND...`, or, for the rest of the script, `eval "$(baygrid ray start)"`."""
    try:
        _start(context.args)
    except CliError:
        if not context.args:
            typer.echo("exit 1")  # `eval` would go on, without a cluster
        raise


def _start(command: list[str]) -> None:
    from baygrid.workloads.raycluster import place, start

    try:
        here = place.Place.of(os.environ)
    except place.NotInJob as missing:
        raise CliError(
            f"this is not inside a job: {missing}",
            code="not-in-job",
            cure="write it into `run:` of a job with `nodes: 2` or more",
        ) from missing
    ray = shutil.which("ray")
    if ray is None:
        raise CliError(
            "there is no `ray` on PATH",
            code="not-installed",
            cure="install it in `setup:` (pip install ray), or take an image that has it",
        )
    settle()
    try:
        if here.rank:
            start.follow(here, ray)
            if not command:
                typer.echo("exit 0")
            return
        cluster = start.lead(here, ray, os.getpid() if command else start.caller())
    except start.FAILURES as error:
        raise CliError(f"the Ray cluster did not start: {error}", code="ray-failed") from error
    typer.echo(f"a Ray cluster of {here.nodes} nodes is at {cluster.address}", err=True)
    if command:
        _become(command, place.variables(cluster))
    typer.echo(place.exports(cluster), nl=False)


def _become(command: list[str], variables: dict[str, str]) -> NoReturn:
    """The same process goes on as the program: the keeper waits for its end."""
    try:
        os.execvpe(command[0], command, {**os.environ, **variables})
    except OSError as error:
        raise CliError(
            f"{command[0]} cannot be run: {error.strerror}", code="not-found", exit_code=127
        ) from error
