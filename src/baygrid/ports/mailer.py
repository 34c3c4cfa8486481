"""Mail as the letter hands it over: one message to one recipient, and what became of it."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Protocol


class NotSent(Exception):
    """The recipient has nothing. `later`: it may work another time."""

    def __init__(self, reason: str, *, later: bool) -> None:
        super().__init__(reason)
        self.later = later


class InDoubt(Exception):
    """The connection was lost after the message had gone out: whether it was taken nobody can tell."""


class Unreachable(Exception):
    """There is no server that takes mail from us; the message says why."""


class Mailer(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Returns when the server has taken it. Raises NotSent, InDoubt, Unreachable."""
