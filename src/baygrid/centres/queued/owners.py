"""Gives an attempt's folder to the user that its task runs as, and takes it back."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from baygrid.centres.folder.environment import NotRunnable


def give(folder: Path, account: str) -> None:
    """All of it; links are not followed. Does nothing where the account is ours. Raises NotRunnable,
    OSError."""
    try:
        user = pwd.getpwnam(account)
    except KeyError:
        raise NotRunnable(f"there is no user {account!r} here") from None
    if user.pw_uid == os.geteuid():
        return
    for directory, _, files in os.walk(folder):
        for path in (directory, *(os.path.join(directory, name) for name in files)):  # noqa: PTH118 - texts
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def take_back(folder: Path) -> None:
    """So that what is read and removed now is what the task left: its user has no way in any more."""
    if folder.stat().st_uid != os.geteuid():
        os.chown(folder, os.geteuid(), os.getegid())
