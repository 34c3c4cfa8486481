"""What an attempt's folder holds of its container.

`inside/` is what its job finds at the folder's own path: the supervisor's script, and in the end its line.
`pid` is the first process of the container, as Podman tells it. The job reaches neither that nor the claim.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from baygrid.centres.folder.files import Exit, Files

FOLDER: Final = "inside"
NEVER_BEGAN: Final = "image"
"""The phase of an attempt whose container could not be run."""
_OF_PODMAN: Final = (125, 126, 127)
"""Exit codes of podman-run(1) itself: its own error, a command that cannot be run, or is not there."""


def name_of(key: str) -> str:
    """Of the container: there is one for an attempt, ever."""
    return f"bg-{key}"


def of(files: Files) -> Files:
    return Files(files.path(FOLDER))


def is_over(files: Files) -> bool:
    """Whether nothing of the container can be there any more: Podman has seen to its end."""
    return of(files).exit() is not None and files.exit() is not None


def exit_of(files: Files) -> Exit | None:
    """What the script inside wrote, as soon as Podman has ended, too. Without that: what Podman says."""
    around = files.exit()
    if around is None:
        return None
    found = of(files).exit()
    if found is not None:
        return replace(found, at=around.at)
    return replace(around, phase=NEVER_BEGAN) if around.code in _OF_PODMAN else around


def pid_of(files: Files) -> int | None:
    """None until the container is made."""
    try:
        with open(files.path("pid"), encoding="ascii") as file:  # noqa: PTH123 - paths are texts here
            return int(file.read())
    except (OSError, ValueError):
        return None
