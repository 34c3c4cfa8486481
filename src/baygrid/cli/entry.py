"""All commands as one application, and the one place where errors end."""

import os
import sys
from typing import NoReturn

import typer

from baygrid.cli import session
from baygrid.cli.commands import (
    accounts,
    agent,
    applications,
    audit,
    backup,
    bottlenecks,
    centres,
    client,
    contracts,
    datasets,
    exchange,
    figure,
    identity,
    importing,
    indicators,
    inside,
    jobs,
    law,
    letter,
    measures,
    money,
    notify,
    papers,
    parties,
    payments,
    policy,
    rate,
    ratings,
    recipients,
    region,
    registry,
    replay,
    scaleout,
    secrets,
    simulate,
    sql,
    start,
    tables,
    trading,
    vouchers,
    whatif,
)
from baygrid.cli.errors import CliError
from baygrid.cli.output import Output

app = typer.Typer(
    name="baygrid",
    help="A region's AI compute and data as one place: each job where price, wait, data and law are best.",
    no_args_is_help=True,
    # Plain help and plain errors: loading what would decorate them takes longer than most commands.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
jobs.register(app)
inside.register(app)
datasets.register(app)
secrets.register(app)
notify.register(app)
tables.register(app)
sql.register(app)
parties.register(app)
audit.register(app)
contracts.register(app)
recipients.register(app)
money.register(app)
papers.register(app)
payments.register(app)
accounts.register(app)
vouchers.register(app)
trading.register(app)
centres.register(app)
region.register(app)
bottlenecks.register(app)
ratings.register(app)
rate.register(app)
policy.register(app)
exchange.register(app)
whatif.register(app)
start.register(app)
backup.register(app)
agent.register(app)
identity.register(app)
client.register(app)
simulate.register(app)
replay.register(app)
applications.register(app)
scaleout.register(app)
measures.register(app)
law.register(app)
registry.register(app)
figure.register(app)
importing.register(app)
indicators.register(app)
letter.register(app)


def run() -> None:
    """Runs one command and exits: 0; 1 for an error; 2 for a wrong call; a watched job's own code."""
    if sys.stdout is None:
        _fail(_no_stdout("it is closed"))
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # as Python ends nobody could tell of its errors
    except CliError as error:
        _fail(error)
    except OSError as error:
        if not _stdout_lost():  # a file or folder of the user's; the message names it
            _fail(CliError(str(error), code="os-error"))
        if isinstance(error, BrokenPipeError):  # as under `| head`: who reads has enough
            sys.exit(1)
        _fail(_no_stdout(error.strerror or str(error)))


def _stdout_lost() -> bool:
    """Whether stdout takes nothing more. What it did not take is then dropped: Python would try to write it
    once more as it ends, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _no_stdout(why: str) -> CliError:
    return CliError(
        f"stdout cannot be written: {why}",
        code="no-stdout",
        cure="send it to a terminal, to a file with room, or to /dev/null",
    )


def _fail(error: CliError) -> NoReturn:
    Output(as_json=session.current.json).error(error)
    sys.exit(error.exit_code)
