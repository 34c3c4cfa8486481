"""Sending an issue to all of its recipients, once each, whatever is interrupted.

The journal says before each message that it begins and after it what became of it. A process that was killed
in between leaves one in doubt: that one is told and not sent again unless somebody says so."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import IO

from baygrid.letter.mail import key
from baygrid.letter.recipients import Recipient
from baygrid.ports.mailer import InDoubt, Mailer, NotSent, Unreachable


class Busy(RuntimeError):
    """Another process sends this issue now."""


@dataclass(slots=True)
class Sent:
    """Addresses by what became of them. `before`: an earlier call had sent it."""

    sent: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    later: list[tuple[str, str]] = field(default_factory=list)
    in_doubt: list[str] = field(default_factory=list)


class Journal:
    """What became of each message: lines of JSON with the hash of an address, the last one counts."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.states = dict(_lines(file))
        file.write("\n")  # what a power cut left of a last line ends here

    def note(self, email: str, state: str) -> None:
        """On the disk when this returns."""
        self._file.write(json.dumps({"to": key(email), "state": state}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.states[key(email)] = state


@contextmanager
def journal(path: Path) -> Iterator[Journal]:
    """Raises Busy."""
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another process sends by {path}: wait until it has ended") from None
        yield Journal(file)


def send(
    recipients: Sequence[Recipient],
    compose: Callable[[Recipient], EmailMessage],
    mailer: Mailer,
    known: Journal,
    again: frozenset[str] = frozenset(),
) -> Sent:
    """`again`: addresses that were in doubt or refused and are to get it once more. Raises Unreachable; what
    was sent by then is in the journal."""
    done = Sent()
    for to in recipients:
        state = known.states.get(key(to.email))
        if state == "sent":
            done.before.append(to.email)
        elif state in ("begun", "in doubt") and to.email.lower() not in again:
            done.in_doubt.append(to.email)
        elif state == "refused" and to.email.lower() not in again:
            done.refused.append((to.email, "as before"))
        else:
            _one(to, compose(to), mailer, known, done)
    return done


def _one(to: Recipient, message: EmailMessage, mailer: Mailer, known: Journal, done: Sent) -> None:
    known.note(to.email, "begun")
    try:
        mailer.send(message)
    except NotSent as error:
        known.note(to.email, "later" if error.later else "refused")
        (done.later if error.later else done.refused).append((to.email, str(error)))
    except InDoubt:
        known.note(to.email, "in doubt")
        done.in_doubt.append(to.email)
    except Unreachable:
        known.note(to.email, "later")
        raise
    else:
        known.note(to.email, "sent")
        done.sent.append(to.email)


def _lines(file: IO[str]) -> Iterator[tuple[str, str]]:
    file.seek(0)
    for line in file:
        try:
            it = json.loads(line)
        except ValueError:
            continue  # empty, or half written: then the line before it holds
        yield it["to"], it["state"]
