"""When a blocked job can start at the latest, if everything that runs takes all of its time; and the place
that is kept for it until then.

What runs gives back at its end, so the room of a row only grows, but for windows: kept places of jobs whose
turn came before, and advance reservations of others. Rows with windows are looked at one by one.

Shared accelerators are looked at from the safe side: one comes back when the last who has a part of it ends,
and a place is kept for a part as for a whole device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from baygrid.core.placement.judging.offers import Judged
from baygrid.core.placement.room.nodes import FOREVER, Bools, Ints, Need
from baygrid.core.placement.room.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end` (ms) the row gives `need` to somebody; None: all of it."""

    start: int
    end: int
    need: Need | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when: `candidate` is a position in `Judged`."""

    candidate: int
    pool: int
    rows: tuple[int, ...]
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """What a job of `project` looks for: `least` nodes at once for `time_ms`, not before `after` (ms), at any
    of the positions `ranked` of `judged`, best first."""

    judged: Judged
    ranked: Ints
    least: int
    time_ms: int
    project: str
    after: int

    def need(self, candidate: int) -> Need:
        """Of each node, at a position in `Judged`."""
        return self.judged.needs[int(self.judged.place[candidate])]


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """For one need of an ask: by row from when on it has the room; never for the rows with windows
    (`special`), which are looked at singly."""

    ask: Ask
    need: Need
    starts: Ints
    special: set[int]


class Calendar:
    """What becomes free when, within one plan. `open_pools`: by pool, whether its centre takes anything new.
    `quantile`: 90, everything takes all of its time; 50 or 10, as long as half or a tenth of its like did."""

    def __init__(self, rooms: Rooms, open_pools: Bools, quantile: int = 90) -> None:
        self._rooms = rooms
        self._open_pools = open_pools
        self._quantile = quantile
        self._nodes = rooms.nodes
        self._kept: dict[int, list[Window]] = {}
        self._counted = -1
        self._row: Ints
        self._end: Ints
        self._gains: tuple[Ints, Ints]
        self._sort()

    def _sort(self) -> None:
        """Releases by row and time, with their sums within each row."""
        if self._counted == len(self._rooms.ends):
            return
        self._counted = len(self._rooms.ends)
        mine = [
            (row, end, need.cpus, need.memory_mib, need.model, need.whole, 0, 0)
            for row, end, need in self._rooms.ends
        ]
        mine += [
            (row, end, 0, 0, model, 1, p10, p50)
            for row, model, (end, p10, p50) in self._rooms.parts.closings()
        ]
        extra = np.array(mine, dtype=np.int64).reshape(-1, 8).T
        columns = np.concatenate((self._nodes.releases.columns(), extra), axis=1)
        columns[1] = self._likely(columns)
        columns = columns[:, np.lexsort((columns[1], columns[0]))]
        self._columns = columns
        self._row, self._end = columns[0], columns[1]
        self._first = np.searchsorted(self._row, np.arange(len(self._nodes.cpus) + 1))
        self._gains = (self._within(columns[2]), self._within(columns[3]))
        self._by_model: dict[int, Ints] = {}

    def _likely(self, columns: Ints) -> Ints:
        """When each release comes; one that should have come does so in a part of the time that is left."""
        latest = np.maximum(columns[1], self._rooms.now)
        if self._quantile == 90:
            return np.asarray(latest)
        likely = columns[6 if self._quantile == 10 else 7]
        left = self._rooms.now + (latest - self._rooms.now) * self._quantile // 100
        found: Ints = np.where(latest >= FOREVER, FOREVER, np.where(likely > self._rooms.now, likely, left))
        return np.asarray(np.minimum(found, latest))

    def sooner(self, time: int) -> int:
        """A time at which something is over at the latest, as this calendar has it."""
        if self._quantile == 90:
            return time
        return self._rooms.now + (time - self._rooms.now) * self._quantile // 100

    def _within(self, amounts: Ints) -> Ints:
        """Running sums that begin anew with every row."""
        total = np.concatenate(([0], np.cumsum(amounts)))
        found: Ints = total[1:] - total[self._first[self._row]]
        return found

    def _gain(self, model: int) -> Ints:
        found = self._by_model.get(model)
        if found is None:
            found = self._within(np.where(self._columns[4] == model, self._columns[5], 0))
            self._by_model[model] = found
        return found

    def _starts(self, need: Need) -> Ints:
        """By row: from when on it has the room, windows apart."""
        self._sort()
        rooms, rows = self._rooms, self._row
        enough = rooms.cpus[rows] + self._gains[0] >= need.cpus
        enough &= rooms.memory[rows] + self._gains[1] >= need.memory_mib
        if need.model >= 0:
            enough &= rooms.accelerators[need.model, rows] + self._gain(need.model) >= need.accelerators
        starts = np.full(len(rooms.cpus), FOREVER, dtype=np.int64)
        np.minimum.at(starts, rows[enough], self._end[enough])
        starts[rooms.fits(need, slice(None))] = rooms.now
        return starts

    def _windows(self, row: int, project: str) -> list[Window]:
        found = list(self._kept.get(row, ()))
        for it, rows in self._rooms.reserved.found:
            if project not in it.projects and row in rows:
                found.append(Window(it.start, it.end, None))
        return found

    def _special(self, project: str) -> set[int]:
        """Rows with windows."""
        found = set(self._kept)
        for it, rows in self._rooms.reserved.found:
            if project not in it.projects:
                found.update(rows.tolist())
        return found

    def free_at(self, row: int, time: int, until: int) -> tuple[int, int, Ints]:
        """Cpus, memory and accelerators by model that will be free from `time` to `until`, beside kept
        places."""
        self._sort()
        rooms = self._rooms
        span = slice(int(self._first[row]), int(self._first[row + 1]))
        back = self._columns[:, span][:, self._end[span] <= time]
        cpus, memory = int(rooms.cpus[row] + back[2].sum()), int(rooms.memory[row] + back[3].sum())
        accelerators = rooms.accelerators[:, row].copy()
        named = back[:, back[4] >= 0]
        np.add.at(accelerators, named[4], named[5])
        for window in self._kept.get(row, ()):
            if window.need is not None and window.start < until and time < window.end:
                cpus -= window.need.cpus
                memory -= window.need.memory_mib
                if window.need.model >= 0:
                    accelerators[window.need.model] -= window.need.accelerators
        return cpus, memory, accelerators

    def _fits_at(self, row: int, need: Need, time: int, ask: Ask) -> bool:
        until = time + ask.time_ms
        windows = self._windows(row, ask.project)
        if any(it.need is None and it.start < until and time < it.end for it in windows):
            return False
        cpus, memory, accelerators = self.free_at(row, time, until)
        return (
            cpus >= need.cpus
            and memory >= need.memory_mib
            and (need.model < 0 or int(accelerators[need.model]) >= need.accelerators)
        )

    def earliest(self, ask: Ask) -> Place | None:
        """The earliest place; among equally early ones the best in rank. None: there is no such time."""
        times = self.times(ask)
        if not len(times) or int(times.min()) >= FOREVER:
            return None
        best = int(times.argmin())
        candidate, start = int(ask.ranked[best]), int(times[best])
        pool = int(ask.judged.pool[candidate])
        search = self._search(ask, ask.need(candidate), self._special(ask.project))
        return Place(candidate, pool, tuple(self._rows_at(pool, search, start)), start)

    def _search(self, ask: Ask, need: Need, special: set[int]) -> _Search:
        starts = np.maximum(self._starts(need), ask.after)
        if special:
            starts[list(special)] = FOREVER
        return _Search(ask, need, starts, special)

    def times(self, ask: Ask) -> Ints:
        """The earliest start (ms) at each of the positions `Ask.ranked`."""
        judged = ask.judged
        times = np.full(len(ask.ranked), FOREVER, dtype=np.int64)
        special = self._special(ask.project)
        crowded = {int(self._nodes.pool_of[row]) for row in special} | set(
            np.flatnonzero(self._nodes.lump).tolist()
        )
        is_open = self._open_pools[judged.pool[ask.ranked]]
        for option, need in enumerate(judged.needs):
            mine = np.flatnonzero((judged.place[ask.ranked] == option) & is_open)
            if not len(mine):
                continue
            search = self._search(ask, need, special)
            pools = judged.pool[ask.ranked[mine]]
            times[mine] = self._kth(search.starts, ask.least)[pools]
            for position, pool in zip(mine.tolist(), pools.tolist(), strict=True):
                if pool in crowded:
                    times[position] = self._first_time(pool, search)
        return times

    def _kth(self, starts: Ints, count: int) -> Ints:
        """By pool: when its `count`-th row is ready."""
        nodes = self._nodes
        ordered = starts[np.lexsort((starts, nodes.pool_of))]
        at = nodes.starts[:-1] + count - 1
        enough = at < nodes.starts[1:]
        found = np.full(len(nodes.where), FOREVER, dtype=np.int64)
        found[enough] = ordered[at[enough]]
        return found

    def _first_time(self, pool: int, search: _Search) -> int:
        """As `_kth` for one pool that has rows with windows, or is known by its sums."""
        if pool in self._rooms.most_pending:
            return FOREVER  # nobody knows when its own scheduler starts one
        ask, span = search.ask, self._nodes.rows_of(pool)
        times = {int(time) for time in search.starts[span] if time < FOREVER}
        for row in range(span.start, span.stop):
            if row in search.special or self._nodes.lump[pool]:
                ends = self._end[int(self._first[row]) : int(self._first[row + 1])]
                times |= {max(ask.after, int(time)) for time in ends if time < FOREVER} | {ask.after}
                times |= {max(ask.after, it.end) for it in self._windows(row, ask.project)}
        for time in sorted(times):
            if self._rows_at(pool, search, time):
                return time
        return FOREVER

    def _rows_at(self, pool: int, search: _Search, time: int) -> list[int]:
        """`Ask.least` rows of the pool that are ready at `time`; none where there are fewer."""
        ask, starts = search.ask, search.starts
        span = self._nodes.rows_of(pool)
        if self._nodes.lump[pool]:
            row = span.start
            return [row] if self._fits_at(row, search.need.times(ask.least), time, ask) else []
        ready = np.flatnonzero(starts[span] <= time) + span.start
        rows: list[int] = ready[np.argsort(starts[ready], kind="stable")].tolist()
        for row in sorted(search.special):
            here = len(rows) < ask.least and span.start <= row < span.stop
            if here and self._fits_at(row, search.need, time, ask):
                rows.append(row)
        return rows[: ask.least] if len(rows) >= ask.least else []

    def keep(self, place: Place, ask: Ask) -> None:
        """Nobody whose turn comes later may be in the way there."""
        for row in place.rows:
            free = self.free_at(row, place.start, place.start + ask.time_ms)
            self._rooms.keep(row, self._each(place, ask), place.start, free)
        self.reserve(place, ask)

    def reserve(self, place: Place, ask: Ask) -> None:
        """The place is taken in this calendar."""
        for row in place.rows:
            window = Window(place.start, place.start + ask.time_ms, self._each(place, ask))
            self._kept.setdefault(row, []).append(window)

    def _each(self, place: Place, ask: Ask) -> Need:
        """Of each of the place's rows."""
        need = ask.need(place.candidate)
        return need.times(ask.least) if self._nodes.lump[place.pool] else need
