"""Writes what a task needs into its attempt's folder: script, setup and run."""

from __future__ import annotations

import shlex
import zlib
from pathlib import Path
from typing import Final

from baygrid.centres.engine import Launch
from baygrid.centres.folder.environment import NotRunnable, common
from baygrid.centres.folder.files import Files
from baygrid.centres.folder.secrets import exports
from baygrid.ports.messages import Order

SCRIPT: Final = "task.sh"
BODY: Final = Path(__file__).with_name(SCRIPT).read_text()
_FIRST_PORT, _PORTS = 20_000, 10_000


def write_task(files: Files, order: Order, launch: Launch, centre: str, path: str | None) -> None:
    """Repeatable. `path`: PATH of the job, None for the node's own. Raises NotRunnable, OSError."""
    if order.count > 1 and not launch.each:
        raise NotRunnable(f"{order.count} nodes at once cannot be had at this centre")
    for name, text in (("run", order.run), ("setup", order.setup)):
        if "\0" in text:
            raise NotRunnable(f"{name} has a null byte")
        if text.strip():
            files.replace(name, text.encode(), 0o700 if text.startswith("#!") else 0o600)
        elif name == "run":
            files.replace(name, b"")
    environ = f"_bg_environ() {{\n{environment(files, order, centre, path)}}}\n"
    files.replace(SCRIPT, (header(files, order, launch) + environ + BODY).encode(), 0o700)


def environment(files: Files, order: Order, centre: str, path: str | None) -> str:
    """As lines for a shell. Raises NotRunnable."""
    port = _FIRST_PORT + zlib.crc32(order.token.encode()) % _PORTS
    values = common(files, order, centre, port)
    if path is not None:
        values = {"PATH": path, **values}
    if order.accelerator_share < 1000:
        values["BAYGRID_ACCELERATOR_SHARE"] = str(order.accelerator_share / 1000)
    lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
    return lines + exports(order.secrets)


def header(files: Files, order: Order, launch: Launch) -> str:
    """What stands before `task.sh` for one attempt."""
    values = {
        "dir": files.dir,
        "script": files.path(SCRIPT),
        "ranks": str(order.count),
        "accelerators": str(order.accelerators),
        "keep": " ".join(launch.keep),
        "forward": "yes" if launch.forward else "",
        "forward_ranks": "yes" if launch.forward_ranks else "",
    }
    lines = ["#!/bin/sh", *(f"_bg_{name}={shlex.quote(value)}" for name, value in values.items())]
    for name, word in (("id", launch.id), ("head", launch.head), ("rank", launch.rank)):
        lines.append(f'_bg_{name}() {{ _bg_word="{word}"; }}')
    lines.append(f"_bg_each() {{\n  {launch.each or ':'}\n}}")
    return "\n".join(lines) + "\n"
