"""A mailer over SMTP (RFC 5321), encrypted from the start or by STARTTLS (RFC 3207)."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from baygrid.ports.mailer import InDoubt, NotSent, Unreachable

PATIENCE_S: Final = 60.0


class Tls(StrEnum):
    """TLS from the first byte; by STARTTLS; none at all, which is for a server on this machine."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Server:
    """`ca`: whom to trust, else whom this machine trusts."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = ""
    ca: Path | None = None


class Smtp:
    """Keeps one connection, and makes another when that is lost."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, it: BaseException | None, at: TracebackType | None
    ) -> None:
        self._leave()

    def send(self, message: EmailMessage) -> None:
        client = self._client = self._client or self._connect()
        try:
            # In two steps, for until its data went out a message is certainly not sent.
            _taken(client.mail(str(message["From"].addresses[0].addr_spec)))
            _taken(client.rcpt(str(message["To"].addresses[0].addr_spec)))
        except (OSError, smtplib.SMTPException) as error:
            self._leave()
            raise NotSent(f"the connection was lost: {error}", later=True) from None
        except NotSent:
            self._reset(client)
            raise
        try:
            _taken(client.data(message.as_bytes()))
        except NotSent:
            self._reset(client)
            raise
        except smtplib.SMTPDataError as error:
            self._reset(client)
            raise _refused(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            self._leave()
            raise InDoubt(f"the connection was lost after the message had gone out: {error}") from None

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        client: smtplib.SMTP | None = None
        context = ssl.create_default_context(cafile=None if server.ca is None else str(server.ca))
        try:
            if server.tls is Tls.TLS:
                client = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE_S, context=context)
            else:
                client = smtplib.SMTP(server.host, server.port, timeout=PATIENCE_S)
            if server.tls is Tls.STARTTLS:
                client.starttls(context=context)
            client.ehlo_or_helo_if_needed()
            if server.user:
                client.login(server.user, server.password)
        except (OSError, smtplib.SMTPException) as error:
            if client is not None:
                client.close()
            raise Unreachable(
                f"the mail server {server.host}:{server.port} cannot be used: {error}"
            ) from None
        return client

    def _reset(self, client: smtplib.SMTP) -> None:
        try:
            client.rset()
        except (OSError, smtplib.SMTPException):
            self._leave()

    def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.quit()
            except (OSError, smtplib.SMTPException):
                client.close()


class EachAnew:
    """A mailer of several threads: a connection for each message."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def send(self, message: EmailMessage) -> None:
        with Smtp(self._server) as mailer:
            mailer.send(message)


def _taken(answer: tuple[int, bytes]) -> None:
    code, said = answer
    if not 200 <= code < 300:
        raise _refused(code, said)


def _refused(code: int, said: bytes | str) -> NotSent:
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return NotSent(f"{code} {words}", later=400 <= code < 500)
