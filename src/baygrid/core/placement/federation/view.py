"""What the broker believes of its sites: what it sent them, less what they told it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

COVER: Final = 1.5
"""How many jobs a site is sent beyond its capacity, in units of those that end there while one report is
under way: one for the ends that are not told yet, half of one because ends do not come evenly."""


class View:
    """Arrays over the sites, in processors. Every processor that a site really uses was sent there, and what
    ended is told late, so `load` is never below the truth: what is believed to be free is free.

    Ties go to the site with the smaller index.
    """

    __slots__ = ("_alike", "_spare", "capacity", "load", "stale")

    def __init__(self, capacity: Sequence[int], stale: float) -> None:
        """`stale`: seconds from an event at a site to the news of it."""
        self.capacity: Ints = np.array(capacity, dtype=np.int64)
        self.load: Ints = np.zeros(len(capacity), dtype=np.int64)
        self.stale = stale
        self._alike: Floats = np.zeros(len(capacity))
        self._spare: Ints = np.zeros(len(capacity), dtype=np.int64)

    def sent(self, site: int, width: int) -> None:
        self.load[site] += width

    def ended(self, site: int, width: int) -> None:
        """A report of the site; `stale` seconds have passed since."""
        self.load[site] -= width

    def pace(self, run: float) -> None:
        """Sets how much each site may be sent beyond its capacity, where a processor's job runs for `run`
        seconds on average."""
        self._spare = (COVER * self.stale / max(run, 1.0) * self.capacity).astype(np.int64)

    def free(self) -> Ints:
        """Processors believed to be idle; negative: so many wait there."""
        return self.capacity - self.load

    def choose(self, width: int, intensity: Floats | None = None, without: int | None = None) -> int | None:
        """The site for a job of `width` processors, or None where it is better kept.

        Among sites where it starts at once: the one of least `intensity` (gCO2/kWh, shape (sites,); what a
        job causes is this times a run as long everywhere), then the one with the largest share free. Else,
        where a site may be sent more: the one with the shortest queue for its capacity. `without`: a site
        that is kept for another job.
        """
        clean = self._alike if intensity is None else intensity
        site = int(
            _choose(self.capacity, self.load, self._spare, clean, width, -1 if without is None else without)
        )
        return None if site < 0 else site

    def nearest(self, width: int) -> int | None:
        """The site that has most free for a job that fits nowhere now; None: it is too wide for all."""
        wide = self.capacity >= width
        return int(np.where(wide, self.free(), -self.load.max() - 1).argmax()) if wide.any() else None


@njit(cache=True)
def _choose(capacity: Ints, load: Ints, spare: Ints, intensity: Floats, width: int, without: int) -> int:
    """`View.choose` in one pass over the sites; -1: none. A compiled loop takes a tenth of the time of the
    same in array operations, since there are few sites and many decisions."""
    idle = queued = -1
    least = largest = shortest = np.inf
    for site in range(len(capacity)):
        left = capacity[site] - load[site] - width
        if capacity[site] < width or site == without or left + spare[site] < 0:
            continue
        share = left / capacity[site]
        if left < 0:
            if -share < shortest:
                queued, shortest = site, -share
        elif intensity[site] < least or (intensity[site] == least and share > largest):
            idle, least, largest = site, intensity[site], share
    return idle if idle >= 0 else queued
