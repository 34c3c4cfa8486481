"""What a replay gives back, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from baygrid.core.reasons import JSON

Progress: TypeAlias = Callable[[int, int], None]
"""Called now and then with how many jobs are done and how many there are."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(frozen=True, slots=True)
class Plot:
    """What `--plot` draws: axes with their units, and lines. `log_x`: x on a logarithmic scale from 1 on, and
    an even one below."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    log_x: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`figures`: what `--json` prints, in that order."""

    figures: Mapping[str, JSON]
    plot: Plot


class BadTrace(Exception):
    """A trace cannot be read: which file, which line, what was expected there."""


def no_progress(done: int, total: int) -> None:
    """For callers that show none."""
