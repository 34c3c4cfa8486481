"""The environment of a job's commands, as far as it is the same on every engine."""

from __future__ import annotations

import re
from collections.abc import Collection

from baygrid.centres.folder.files import Files
from baygrid.centres.folder.secrets import FOLDER, VARIABLE
from baygrid.ports.messages import Order

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class NotRunnable(Exception):
    """The order can never be started, however often one tries."""


def require_image(order: Order, capabilities: Collection[str]) -> None:
    """What asks for an image is never run without. Raises NotRunnable."""
    if order.image and "image" not in capabilities:
        raise NotRunnable(f"this centre cannot run anything inside an image, such as {order.image}")


def common(files: Files, order: Order, centre: str, port: int) -> dict[str, str]:
    """Ours wins over the job's own, except for the few that a job may well want to set. Which rank it is,
    where the first one is, and the accelerators are left to who knows them. `port`: where the ranks meet.
    Raises NotRunnable."""
    for name, value in order.envs.items():
        if not _NAME.fullmatch(name) or "\0" in value:
            raise NotRunnable(f"{name[:80]!r} cannot be an environment variable")
    return {
        "LANG": "C.UTF-8",
        "HOME": files.path("work"),
        "TMPDIR": files.path("work"),
        **order.envs,
        "BAYGRID_JOB": order.job,
        "BAYGRID_ATTEMPT": order.attempt,
        "BAYGRID_PROJECT": order.project,
        "BAYGRID_CENTRE": centre,
        "BAYGRID_NODES": str(order.count),
        "BAYGRID_CPUS": str(order.cpus),
        "BAYGRID_WORKDIR": files.path("work"),
        "BAYGRID_INPUTS": files.path("inputs"),
        "BAYGRID_OUTPUTS": files.path("outputs"),
        **({VARIABLE: files.path(FOLDER)} if order.secrets else {}),
        "NNODES": str(order.count),
        "MASTER_PORT": str(port),
        "GPUS_PER_NODE": str(order.accelerators),
    }
