"""The campaign's time: the machine's, and an hour more for each that was let pass, within some seconds.

Servers and agents live by it, and what engines and files say in the machine's time is turned into it where
it is read. An engine itself, whose daemons watch one another by the clock, stays with the machine's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

HOUR_NS: Final = 3_600_000_000_000
LASTS_NS: Final = 5_000_000_000
_machine: Final = time.time_ns  # before a program takes the campaign's time for its own
_NS: Final = 1_000_000  # in a millisecond


class Hours:
    """`path`: a file that all processes read, in which each hour's begin stands. They do not overlap."""

    def __init__(self, path: Path) -> None:
        self.path, self._size, self._begun = path, 0, list[int]()
        path.touch()

    def pass_one(self) -> Callable[[], None]:
        """An hour begins; the call waits until it is over."""
        begins = _machine()
        with self.path.open("a") as file:
            file.write(f"{begins}\n")
        return lambda: time.sleep(max(0, begins + LASTS_NS - _machine()) / 1e9)

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._simulated(_machine())

    def simulated(self, machine_ms: int) -> int:
        return self._simulated(machine_ms * _NS) // _NS

    def machine(self, simulated_ms: int) -> int:
        """The other way."""
        left = simulated_ms * _NS
        for begins in self._read():
            if left <= begins:
                break
            within = (left - begins) * LASTS_NS // (LASTS_NS + HOUR_NS)
            left = begins + within if within < LASTS_NS else left - HOUR_NS
        return left // _NS

    def _simulated(self, machine: int) -> int:
        spent = sum(min(max(machine - begins, 0), LASTS_NS) for begins in self._read())
        return machine + spent * (HOUR_NS // LASTS_NS)

    def _read(self) -> list[int]:
        size = self.path.stat().st_size
        if size != self._size:
            self._begun = [int(line) for line in self.path.read_text().split("\n")[:-1]]
            self._size = size
        return self._begun
