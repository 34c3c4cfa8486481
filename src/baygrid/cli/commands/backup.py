"""Commands that copy all that a server keeps, and put it back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command, settle

if TYPE_CHECKING:
    from baygrid.wiring.settings import ServerSettings

Place = Annotated[str, typer.Argument(metavar="DIR|s3://...", help="Of the backup.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="The server's folder, as for `serve`. [default: ~/.baygrid]")
]
Database = Annotated[str | None, typer.Option("--database", metavar="URL", help="As for `serve`.")]
Objects = Annotated[str | None, typer.Option("--objects", metavar="DIR|s3://...", help="As for `serve`.")]


def register(app: typer.Typer) -> None:
    command(app, "backup")(backup)
    command(app, "restore")(restore)


def backup(
    session: Session, place: Place, data: Data = None, database: Database = None, objects: Objects = None
) -> None:
    """Copy database, objects and keys, also while servers run. Keep it as safe as the server: it has keys."""
    from baygrid.wiring import backups

    with _told():
        count = backups.backup(_settings(data, database, objects), place)
    session.out.answer({"backup": place, "objects": count}, f"{place}: the database and {count} objects")


def restore(
    session: Session, place: Place, data: Data = None, database: Database = None, objects: Objects = None
) -> None:
    """Put a backup where nothing is yet. Start the server then; agents find it again by themselves."""
    from baygrid.wiring import backups

    with _told():
        backups.restored(_settings(data, database, objects), place)
    session.out.answer({"restored": place}, f"{place} is restored: start the server")


def _settings(data: Path | None, database: str | None, objects: str | None) -> "ServerSettings":
    from baygrid.wiring import ServerSettings

    settle()
    return ServerSettings(data=data or Path.home() / ".baygrid", database=database, objects=objects)


@contextmanager
def _told() -> Iterator[None]:
    from baygrid.wiring.backups import BackupError
    from baygrid.wiring.server import AlreadyRunning

    try:
        yield
    except AlreadyRunning as running:
        raise CliError(str(running), code="already-running") from running
    except (BackupError, ValueError) as wrong:
        raise CliError(str(wrong), code="no-backup") from wrong
    except OSError as error:
        raise CliError(str(error), code="no-backup") from error
