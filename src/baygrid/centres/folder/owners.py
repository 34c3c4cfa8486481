"""Gives an attempt's folder to the user that its task runs as, and takes it back."""

from __future__ import annotations

import os
from pathlib import Path

from baygrid.centres.folder.users import ids_of


def give(folder: Path, account: str) -> None:
    """All of it; links are not followed. Does nothing where the account is ours. Raises NotRunnable,
    OSError."""
    uid, gid = ids_of(account)
    if uid == os.geteuid():
        return
    for directory, _, files in os.walk(folder):
        for path in (directory, *(os.path.join(directory, name) for name in files)):  # noqa: PTH118 - texts
            os.chown(path, uid, gid, follow_symlinks=False)


def take_back(folder: Path) -> None:
    """So that what is read and removed now is what the task left: its user has no way in any more."""
    if folder.stat().st_uid != os.geteuid():
        os.chown(folder, os.geteuid(), os.getegid())
