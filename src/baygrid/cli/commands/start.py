"""The command that starts a server on this machine."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baygrid.cli.errors import CliError
from baygrid.cli.mail import mail_server
from baygrid.cli.session import Session, command, settle
from baygrid.client import config

if TYPE_CHECKING:
    from baygrid.wiring.settings import MailSettings


def register(app: typer.Typer) -> None:
    command(app, "serve")(serve)


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
    staging: Annotated[
        Path | None,
        typer.Option("--staging", metavar="FILE", help="What the embedded centre may fetch for jobs (YAML)."),
    ] = None,
    lists: Annotated[
        Path | None,
        typer.Option("--law-lists", metavar="FILE", help="Negative and white lists of the law (YAML)."),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option(
            "--tables", metavar="FILE", help="Folders and networks with tables (YAML, as for jobs)."
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Serve https by this certificate (PEM).")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="The certificate's key (PEM).")
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", min=0, help="Requests a second of one token or address; 0: any number.")
    ] = 500,
    webhooks: Annotated[
        Path | None,
        typer.Option(
            "--webhooks", metavar="FILE", help="Networks that webhooks may go to (YAML, as for jobs)."
        ),
    ] = None,
    oidc: Annotated[
        Path | None,
        typer.Option("--oidc", metavar="FILE", help="Providers by which users sign in (YAML)."),
    ] = None,
    letters: Annotated[
        Path | None,
        typer.Option("--letters", metavar="DIR", help="Published letters, shown in the portal."),
    ] = None,
    smtp: Annotated[
        str, typer.Option("--smtp", metavar="HOST:PORT", help="The mail server; without it no mail is sent.")
    ] = "",
    smtp_tls: Annotated[
        str, typer.Option("--smtp-tls", help="starttls, tls (from the first byte) or none.")
    ] = "starttls",
    smtp_ca: Annotated[
        Path | None,
        typer.Option("--smtp-ca", metavar="FILE", help="Whom to trust, else as this machine does."),
    ] = None,
    smtp_user: Annotated[
        str, typer.Option("--smtp-user", help="The password is in BAYGRID_SMTP_PASSWORD.")
    ] = "",
    mail_from: Annotated[
        str, typer.Option("--mail-from", metavar="EMAIL", help="The address that mails come from.")
    ] = "",
) -> None:
    """Start a server. Alone it is a whole region: SQLite, one local centre, nothing else to start."""
    from baygrid import wiring
    from baygrid.wiring.server import AlreadyRunning

    settings = wiring.ServerSettings(
        data=data or Path.home() / ".baygrid", host=host, port=port, database=database, objects=objects
    )
    # Several servers share one PostgreSQL, and they cannot all be the centre `local`.
    embedded = "local" if centre or (centre is None and database is None) else None
    settings = replace(
        settings,
        embedded=embedded,
        embedded_nodes=tuple(node or ()),
        embedded_staging=str(staging or ""),
        law_lists=lists,
        tables=tables,
        webhooks=webhooks,
        oidc=oidc,
        letters=letters,
        tls=_tls(tls_cert, tls_key),
        rate=rate,
        mail=_mail(smtp, smtp_tls, smtp_ca, smtp_user, mail_from),
    )
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


def _tls(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise CliError(
            "--tls-cert and --tls-key go together", code="bad-settings", cure="give both or neither"
        )
    return certificate, key


def _mail(smtp: str, tls: str, ca: Path | None, user: str, sender: str) -> "MailSettings | None":
    from baygrid.wiring.settings import MailSettings

    if bool(smtp) != ("@" in sender):
        raise CliError("--smtp and --mail-from go together", code="bad-settings", cure="give both or neither")
    return MailSettings(mail_server(smtp, tls, ca, user), sender) if smtp else None


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
