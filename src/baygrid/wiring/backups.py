"""Backup of a server's stores and small files, also while it runs; and restoring them where nothing is."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Final

from baygrid import __version__
from baygrid.store.backup import BackupError as BackupError
from baygrid.store.backup import restore, save
from baygrid.store.objects import open_objects
from baygrid.wiring.server import ADMIN_PASSWORD, KEY_FILE, OPERATOR_TOKEN, SIGNING_FILE, lock_data
from baygrid.wiring.settings import ServerSettings

KEPT: Final = (KEY_FILE, SIGNING_FILE, OPERATOR_TOKEN, ADMIN_PASSWORD)
"""Without the keys, sealed values could not be read. What the embedded centre's agent knows is not here: it
may have done more since, and would do that again."""


def backup(settings: ServerSettings, target: str) -> int:
    """How many objects it has. Raises BackupError, ValueError."""
    if settings.database is None and not (settings.data / "baygrid.db").exists():
        raise BackupError(f"there is no server's data in {settings.data}: name its folder by --data")
    kept = {name: (settings.data / name).read_bytes() for name in KEPT if (settings.data / name).exists()}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return save(
        settings.database_url, open_objects(settings.objects_url), kept, open_objects(target), __version__, at
    )


def restored(settings: ServerSettings, source: str) -> None:
    """Raises BackupError, ValueError, AlreadyRunning."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with lock_data(settings.data):
        taken = [name for name in KEPT if (settings.data / name).exists()]
        if taken:
            raise BackupError(f"{settings.data} has {taken[0]} already: name a folder that is empty")
        kept = restore(open_objects(source), settings.database_url, open_objects(settings.objects_url))
        for name, data in kept.items():
            descriptor = os.open(settings.data / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
