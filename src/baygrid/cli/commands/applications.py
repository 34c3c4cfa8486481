"""The reference applications: `baygrid app NAME`, here and inside jobs."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import settle

APPLICATIONS: Final[Mapping[str, str]] = {
    "images": "Classify images, find objects, read text in them.",
    "speech": "Write down what is said in recordings, and translate it.",
    "driving": "Label recorded drives, find scenarios in them, give the evidence of a road test.",
}
"""Name (of a package in `workloads`, and of the extra that brings what it needs): what it does."""


def register(app: typer.Typer) -> None:
    application = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(application, name="app", help="Run a reference application on this machine or on Ray.")
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    for name, help_text in APPLICATIONS.items():
        application.command(name, context_settings=passed_on, help=help_text)(_running(name))


def _running(name: str) -> Callable[[typer.Context], None]:
    def running(context: typer.Context) -> None:
        """Everything after the name is the application's own."""
        try:
            command = import_module("baygrid.workloads.command")
            asked = import_module(f"baygrid.workloads.{name}.cli")
        except ImportError as missing:
            raise CliError(
                f"the {name} application needs packages that are not here: {missing}",
                code="not-installed",
                cure=f"pip install 'baygrid[{name}]'",
            ) from missing
        settle()
        command.program(asked, context.args)

    return running
