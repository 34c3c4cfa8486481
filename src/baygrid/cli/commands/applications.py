"""The reference applications: `baygrid app NAME`, here and inside jobs."""

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import settle


def register(app: typer.Typer) -> None:
    application = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(application, name="app", help="Run a reference application on this machine.")
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    application.command("images", context_settings=passed_on, help="Classify images.")(images)


def images(context: typer.Context) -> None:
    """Everything after `images` is the application's own."""
    try:
        from baygrid.workloads import command
        from baygrid.workloads.images import cli
    except ImportError as missing:
        raise CliError(
            f"the images application needs packages that are not here: {missing}",
            code="not-installed",
            cure="pip install 'baygrid[images]'",
        ) from missing
    settle()
    command.program(cli, context.args)
