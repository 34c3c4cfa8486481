"""An event in words: what, when, how bad."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from baygrid.workloads.driving.values import Event


def sentence(event: Event, words: Mapping[str, str]) -> str:
    """The event for people: what, when, how bad."""
    return f"{words['map.at'].format(words[event.kind], clock(event.begin))}: {value(event, words)}"


def value(event: Event, words: Mapping[str, str]) -> str:
    return words[f"{event.kind}.value"].format(event.value, np.degrees(event.value))


def clock(seconds: float) -> str:
    """Hours where there are any, minutes and seconds."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
