"""Times at which a value is bad, with hysteresis: one event is told once, though the value trembles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last time that a value was below its limit; `worst` is the least value, at
    `at`, when `label` was given with it."""

    begin: float
    end: float
    worst: float
    at: float
    label: int | None


class Watch:
    """Looks for spans in values that come in order of time.

    A span begins below `enter` and goes on until a value reaches `leave`, or none came for `patience`
    seconds. It counts if it lasts `least` seconds or more."""

    def __init__(self, enter: float, leave: float, least: float, patience: float = 1.0) -> None:
        self._enter, self._leave, self._least, self._patience = enter, leave, least, patience
        self._open: Span | None = None
        self.last = 0.0
        """When the last value came."""

    def feed(self, t: float, value: float, label: int | None = None) -> Span | None:
        """One more value; a span that has ended with it."""
        over = value >= self._leave or t - self.last > self._patience
        ended = self.end() if self._open and over else None
        self.last = t
        if value < self._enter:
            span = self._open or Span(t, t, value, t, label)
            better = value >= span.worst
            worst = (span.worst, span.at, span.label) if better else (value, t, label)
            self._open = Span(span.begin, t, *worst)
        return ended

    def end(self) -> Span | None:
        """There are no more values: the span that was open, if it counts."""
        span, self._open = self._open, None
        return span if span and span.end - span.begin >= self._least else None


def spans(values: Iterable[tuple[float, float]], watch: Watch) -> list[Span]:
    """All spans of (time, value) pairs."""
    found = [watch.feed(t, value) for t, value in values]
    found.append(watch.end())
    return [span for span in found if span is not None]
