"""All checks in their order; here those of this machine: the state, the credential, the accounts."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from baygrid.centres.credential import Credential
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.folder.users import ids_of
from baygrid.wiring.agents import given_of
from baygrid.wiring.doctor import engine, server
from baygrid.wiring.doctor.check import Check, room
from baygrid.wiring.settings import AgentSettings


def examine(settings: AgentSettings) -> Iterator[Check]:
    """One check after the other. What cannot be asked since an earlier one failed is left out."""
    yield _state(settings.state)
    yield room("disk", settings.state)
    yield _credential(settings.state)
    reached = list(server.reach(settings.server))
    yield from reached
    if all(check.ok for check in reached):
        yield from server.answers(settings)
    yield from _accounts(settings)
    yield from engine.examine(settings)


def _state(state: Path) -> Check:
    if not state.is_dir():
        return Check("state", False, f"{state} is not there", "join first, or name it with --state")
    if not os.access(state, os.W_OK | os.X_OK):
        cure = "run this as the agent's user, or give that user the folder"
        return Check("state", False, f"{state} cannot be written", cure)
    holder = _holder(state / "lock")
    if holder is not None:
        return Check("state", True, f"{state}; an agent works on it{f' (pid {holder})' if holder else ''}")
    return Check("state", True, f"{state}; no agent works on it just now")


def _holder(lock: Path) -> int | None:
    """The process that holds it, 0 where that is not known; None: nobody does."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        inode = f":{os.fstat(descriptor).st_ino} "
        lines = Path("/proc/locks").read_text().splitlines()
        return next((int(line.split()[4]) for line in lines if inode in line and "FLOCK" in line), 0)
    else:
        return None
    finally:
        os.close(descriptor)


def _credential(state: Path) -> Check:
    cure = "join with a token of the region's operator: `baygrid centres invite NAME`"
    try:
        secret = Credential(state).read()
        open_to_others = secret is not None and bool((state / "credential").stat().st_mode & 0o077)
    except OSError as error:
        return Check("credential", False, f"it cannot be read: {error}", "run this as the agent's user")
    if secret is None:
        return Check("credential", False, f"there is none in {state}", cure)
    if open_to_others:
        return Check("credential", False, "others may read it", f"chmod 600 {state / 'credential'}")
    return Check("credential", True, "it is there, and only its owner reads it")


def _accounts(settings: AgentSettings) -> Iterator[Check]:
    try:
        accounts = given_of(settings).accounts
    except ValueError as wrong:
        yield Check("accounts", False, str(wrong), "correct --account-map")
        return
    for user in accounts.all:
        try:
            uid, _ = ids_of(user)
        except NotRunnable as unknown:
            yield Check("accounts", False, str(unknown), "make the user, or map its projects to another one")
        else:
            shared = ", of several projects, who see one another's secrets" if user in accounts.shared else ""
            yield Check("accounts", True, f"{user} is user {uid} here{shared}")
