"""What the campaign needs of a centre's engine, whichever it is."""

from __future__ import annotations

from typing import Protocol

from tests.campaign.book import Book
from tests.campaign.disk import Disk
from tests.campaign.region import Centre
from tests.faults.region import Json

MEMORY_GIB = 1

Paid = dict[str, int]
"""By attempt, in minor units."""


class Engine(Protocol):
    @property
    def disk(self) -> Disk: ...

    @property
    def mark(self) -> str:
        """Words of a POSIX shell that a command evaluates when it writes down its begin: by them the engine's
        accounts know the attempt."""
        ...

    @property
    def centre(self) -> Centre: ...

    def idle(self) -> bool:
        """Nothing of anybody's is waiting or running."""
        ...

    def check_charges(self, book: Book, attempts: list[Json], paid: Paid, *, forgets: bool) -> None:
        """Each of `attempts`, which have ended, costs what the centre's own accounts say that it had.
        `forgets`: the engine may know nothing of some of them."""
        ...


def price(milliseconds: int, cpus: int) -> int:
    """What so much costs at the campaign's rates, in minor units, each line rounded half up."""
    return milliseconds * cpus + (milliseconds * MEMORY_GIB + 5) // 10


def cpus_of(number: int) -> int:
    """What the job of this number asks for."""
    return 1 + number % 2
