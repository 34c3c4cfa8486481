"""The agent's journal on a simulated disk: what was not synced when the agent died may be there in part."""

from __future__ import annotations

from collections.abc import Sequence

from baygrid.centres.journal import Entry, line, parse
from baygrid.sim.faults import Failpoints
from baygrid.sim.world import Crash, World


class Disk:
    """What survives."""

    def __init__(self) -> None:
        self.journal = b""


class SimJournal:
    """`centres.journal.Journal`, with the same bytes as the real file."""

    def __init__(self, world: World, failpoints: Failpoints, disk: Disk) -> None:
        self.appended = 0
        self._world = world
        self._failpoints = failpoints
        self._disk = disk

    def read(self) -> list[Entry]:
        entries, good = parse(self._disk.journal)
        self._disk.journal = self._disk.journal[:good]
        return entries

    def append(self, entries: Sequence[Entry]) -> None:
        data = line(entries)
        try:
            self._failpoints.disk("journal.append.before")
        except Crash:
            self._disk.journal += data[: self._world.between(0, len(data))]
            raise
        self._disk.journal += data
        self._failpoints.disk("journal.append.after")
        self.appended += len(entries)

    def rewrite(self, entries: Sequence[Entry]) -> None:
        self._failpoints.disk("journal.rewrite.before")
        self._disk.journal = b"".join(line([entry]) for entry in entries)
        self._failpoints.disk("journal.rewrite.after")
        self.appended = 0
