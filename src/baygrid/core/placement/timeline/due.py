"""The order of the `baygrid` policy: whoever is due first goes first, and short jobs are due soon.

A job is due `HASTE` times its own length after it came, but no later than after a part (`PATIENCE`) of the
time that the pool needs for what was there before it. So a short job passes long ones, which mind less, and
slowdowns stay even; in a long queue the second bound holds for most jobs, which is the order of arrival, and
nobody starves. A due date never changes, so neither does the order of two jobs. The first that does not fit
has a place kept for it, and so have up to `KEPT` that are past due (`places`).

Length mixes what a job asks for with what history expects of it (`predict`): requests are some times too
long, expectations sometimes far too short. Haste, patience and the mix were chosen on the logs of four
machines: mean slowdown below EASY's and the longest waits (99.9 %) well below on KTH and wagap as recorded.
On NASA's log, made denser, slowdown is below and the longest waits are about a tenth above: there estimates
are exact, and an order that departs from arrival costs more than the places that it keeps give back.
"""

from __future__ import annotations

from typing import Final

from baygrid.core.placement.timeline.backfill import Waiting
from baygrid.core.placement.timeline.places import Places

HASTE: Final = 3.0
PATIENCE: Final = 0.2
KEPT: Final = 40
TRUST: Final = 0.4
"""Of history in a job's length: its exponent, that of the request is what is left to 1."""


class Due:
    """A `backfill.Line` before `slots` equal slots, in the order of due dates. Jobs bring `expected`."""

    def __init__(self, slots: int) -> None:
        self.places = Places(slots, first=1, due=KEPT)

    def submit(self, now: int, job: Waiting) -> None:
        due = due_after_s(job.estimate, job.expected, self.places.backlog_s(now))
        self.places.submit(now, job, now + due)

    def end(self, now: int, job: int) -> None:
        self.places.end(now, job)

    def starts(self, now: int) -> list[int]:
        return self.places.starts(now)


def due_after_s(limit_s: float, expected_s: float, backlog_s: float) -> float:
    """In how many seconds a job is due that asks for `limit_s`, is expected to run `expected_s`, and found
    work for `backlog_s` of the whole pool before it."""
    expected_s = max(1.0, min(expected_s, limit_s))
    length = float(max(1.0, limit_s) ** (1 - TRUST) * expected_s**TRUST)
    return min(HASTE * length, PATIENCE * backlog_s)
