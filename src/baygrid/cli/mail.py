"""The mail server that options name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from baygrid.cli.errors import CliError

if TYPE_CHECKING:
    from baygrid.letter.smtp import Server


def mail_server(address: str, tls: str, ca: Path | None, user: str) -> Server:
    from baygrid.letter.smtp import Server, Tls

    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or tls not in set(Tls):
        raise CliError(
            f"--smtp {address!r} with TLS {tls!r} is no mail server",
            code="bad-settings",
            cure=f"write HOST:PORT, and for TLS one of {', '.join(Tls)}",
        )
    password = os.environ.get("BAYGRID_SMTP_PASSWORD", "")
    if user and not password:
        raise CliError("the mail user has no password", code="bad-settings", cure="set BAYGRID_SMTP_PASSWORD")
    if user and tls == Tls.NONE:
        raise CliError("a password is never sent in the clear", code="bad-settings", cure="use TLS starttls")
    return Server(host.strip("[]"), int(port), Tls(tls), user, password, ca)
