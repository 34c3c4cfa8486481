"""A centre with a real Ray, in its place of the network, and what can happen to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests import engines
from tests.campaign.book import Book
from tests.campaign.disk import Disk, disk
from tests.campaign.engine import Paid, cpus_of, price
from tests.campaign.hours import Hours
from tests.campaign.network import Holder
from tests.campaign.region import Centre
from tests.faults.region import Json

CPUS = 3  # of each node: less than three jobs want, so that they are on both
TICK_MS = 10  # times of files are the kernel's coarse ones


@dataclass
class Ray:
    """It has no accounts. What counts is the attempt's claim, whose time the command itself writes down, and
    its exit line, which comes after the command's last word."""

    place: Holder
    cluster: engines.Ray
    disk: Disk
    hours: Hours

    mark = "$(stat -c %.9Y ../claim)"

    @property
    def centre(self) -> Centre:
        options = [f"address={self.cluster.dashboard}", f"root={self.disk.root}"]
        return Centre("ray", "ray", {"options": options, "as_me": True})

    def command(self, what: str) -> None:
        with self.place.entered():
            self.cluster.act(what, NODE_CPUS=str(CPUS))

    def idle(self) -> bool:
        with self.place.entered():
            return not any(job["status"] in ("PENDING", "RUNNING") for job in self.cluster.jobs())

    def check_charges(self, book: Book, attempts: list[Json], paid: Paid, *, forgets: bool) -> None:
        """To the millisecond; what never began costs nothing."""
        claims, ended, numbers = book.marks(), book.ended(), book.jobs()
        for attempt in attempts:
            id = attempt["id"]
            if id not in claims or attempt["not_charged"]:
                assert not paid[id], (attempt, paid)
                continue
            began_ms, ended_ms = _ms(attempt["started_at"]), _ms(attempt["ended_at"])
            claimed_ms, said_ms = _claimed_ms(claims[id]), ended.get(id, (0, 0))[1] - TICK_MS
            assert began_ms == self.hours.simulated(claimed_ms), (attempt, claims[id])
            assert ended_ms >= max(began_ms, self.hours.simulated(said_ms)), (attempt, ended.get(id))
            assert paid[id] == price(ended_ms - began_ms, cpus_of(numbers[id])), (attempt, paid)


def _ms(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime.fromisoformat("1970-01-01T00:00:00Z")) // timedelta(
        milliseconds=1
    )


def _claimed_ms(mark: str) -> int:
    """Of seconds with nine places."""
    return int(mark.replace(".", "")) // 1_000_000


@contextmanager
def ray(place: Holder, folder: Path, hours: Hours) -> Iterator[Ray]:
    """For the length of the block. Raises Missing of `tests.services`."""
    folder.mkdir(mode=0o755)
    with place.entered(), engines.ray(NODE_CPUS=str(CPUS)) as found, disk(folder / "disk") as small:
        yield Ray(place, found, small, hours)
