"""How a job is told to stop, and what of it lives on in its next attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from baygrid.core.jobs import fields
from baygrid.core.jobs.problems import Problems, Section
from baygrid.core.reading import Wrong, shown
from baygrid.core.reasons import JSON
from baygrid.core.units import format_duration

SIGNALS: Final = ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2")
MAX_GRACE_S: Final = 3600
OUTPUT: Final = "checkpoint"
"""The name under which an attempt that did not succeed publishes it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`signal` first, KILL after `grace` seconds. `path`: a folder below the working directory that goes on
    into the next attempt after a preemption or an interruption (None: nothing does)."""

    signal: str = "TERM"
    grace: int = 30
    path: str | None = None


PLAIN: Final = Checkpoint()


def checkpoint(value: object, path: str, found: Problems) -> Checkpoint:
    """Parse the field `checkpoint`."""
    section = Section(value, path, ("signal", "grace", "path"), found)
    return Checkpoint(
        section.leaf("signal", _signal, PLAIN.signal),
        section.leaf("grace", _grace, PLAIN.grace),
        section.leaf("path", _path, None),
    )


def of(job: Mapping[str, Any]) -> Checkpoint:
    """What a job file says that was parsed before."""
    return checkpoint(job.get("checkpoint"), "checkpoint", Problems())


def document(wanted: Checkpoint) -> dict[str, JSON] | None:
    """The field `checkpoint` that parses to `wanted`."""
    if wanted == PLAIN:
        return None
    written: dict[str, JSON] = {"signal": wanted.signal, "grace": format_duration(wanted.grace)}
    return written | ({"path": wanted.path} if wanted.path is not None else {})


def _signal(value: object) -> str:
    name = value.removeprefix("SIG") if isinstance(value, str) else ""
    if name not in SIGNALS:
        raise Wrong(f"must be one of {', '.join(SIGNALS)}, not {shown(value)}")
    return name


def _grace(value: object) -> int:
    seconds = fields.duration(value)
    if seconds > MAX_GRACE_S:
        raise Wrong(f"is longer than {format_duration(MAX_GRACE_S)}: write checkpoints while the job runs")
    return seconds


def _path(value: object) -> str:
    parts = [part for part in fields.text(value).split("/") if part not in ("", ".")]
    if not parts or ".." in parts or str(value).startswith(("/", "~")):
        raise Wrong(f"must be a folder below the working directory such as ckpt, not {shown(value)}")
    return "/".join(parts)
